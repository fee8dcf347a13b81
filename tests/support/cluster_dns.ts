/** A DNS of a test's own for the cluster, and a manager that asks it. */
import assert from "node:assert/strict";
import type { Cluster } from "../cluster/mod.ts";

const usualDomain = "cluster.local";

/**
 * Makes a DNS that knows the cluster by a domain and does `rules`, a part of a Corefile, too. Resolves to its address.
 *
 * @param options.isLast What the cluster lacks does not exist; else it goes on to the rules.
 */
export async function ownDns(
  cluster: Cluster,
  { namespace, rules, domain = usualDomain, isLast = false, family = "IPv4" }: {
    namespace: string;
    rules: string;
    domain?: string;
    isLast?: boolean;
    family?: "IPv4" | "IPv6";
  },
): Promise<{ address: string } & AsyncDisposable> {
  const labels = { app: "dns" };
  const metadata = { name: "dns", namespace };
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  const role = `dns-${namespace}`;
  const zones = `${domain} in-addr.arpa ip6.arpa`;
  const corefile = `.:53 {
  errors
  kubernetes ${zones} {
    pods insecure
    ttl 5
    ${isLast ? "" : "fallthrough"}
  }
  ${rules}
}
`;
  await cluster.apply(JSON.stringify({
    ...{ apiVersion: "v1", kind: "List" },
    items: [
      { apiVersion: "v1", kind: "ServiceAccount", metadata },
      {
        ...{ apiVersion: "v1", kind: "ConfigMap", metadata },
        data: { Corefile: corefile },
      },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: role },
        roleRef: {
          apiGroup: "rbac.authorization.k8s.io",
          kind: "ClusterRole",
          name: "system:coredns",
        },
        subjects: [{ kind: "ServiceAccount", ...metadata }],
      },
      {
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              ...{ serviceAccountName: "dns", dnsPolicy: "Default" },
              terminationGracePeriodSeconds: 0,
              containers: [{
                name: "dns",
                image: `${registry}/coredns:1`,
                args: ["-conf", "/etc/coredns/Corefile"],
                volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
              }],
              volumes: [{ name: "config", configMap: { name: "dns" } }],
            },
          },
        },
      },
      {
        ...{ apiVersion: "v1", kind: "Service", metadata },
        spec: {
          ...{ selector: labels, ipFamilies: [family] },
          ports: [
            { name: "udp", port: 53, protocol: "UDP" },
            { name: "tcp", port: 53, protocol: "TCP" },
          ],
        },
      },
    ],
  }));
  await cluster.rolledOut("deployment/dns", { namespace });
  const { stdout: address } = await cluster.kubectl([
    ...["get", "service", "dns", `--namespace=${namespace}`],
    "--output=jsonpath={.spec.clusterIP}",
  ]);
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      await cluster.kubectl(["delete", "clusterrolebinding", role]);
    },
  };
}

/** Has the manager in a namespace ask these nameservers, as a kubelet with this domain would. Resolves when it does. */
export async function dnsServedTo(
  cluster: Cluster,
  namespace: string,
  nameservers: readonly string[],
  { domain = usualDomain } = {},
): Promise<void> {
  const manager = "statefulset/traffic-manager";
  const dnsConfig = {
    nameservers,
    searches: [
      ...[`${namespace}.svc.${domain}`, `svc.${domain}`, domain],
    ],
  };
  const { code, stderr } = await cluster.kubectl([
    ...["patch", manager, `--namespace=${namespace}`, "--patch"],
    JSON.stringify({
      spec: { template: { spec: { dnsPolicy: "None", dnsConfig } } },
    }),
  ]);
  assert.equal(code, 0, stderr);
  await cluster.rolledOut(manager, { namespace });
}

/** A cluster whose DNS asks the laptop for what it does not know, as that of a cluster on the laptop does. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  openCluster,
  outside,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

/** Makes a DNS of the cluster that asks `upstream` for every name that it does not know. Resolves to its address. */
async function forwardingDns(
  cluster: Cluster,
  { namespace, upstream }: { namespace: string; upstream: string },
): Promise<{ address: string } & AsyncDisposable> {
  const labels = { app: "dns" };
  const metadata = { name: "dns", namespace };
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  const role = `dns-${namespace}`;
  const zones = "cluster.local in-addr.arpa ip6.arpa";
  const corefile = `.:53 {
  errors
  kubernetes ${zones} {
    pods insecure
    ttl 5
    fallthrough
  }
  forward . ${upstream}
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
          selector: labels,
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

Deno.test("a cluster that asks the laptop what it does not know gets the host's answer, and no question goes in circles", async () => {
  const cluster = await openCluster();
  if (!cluster.isBed) return;
  await using laptop = await Laptop.open(cluster);
  const before = await laptop.snapshot();
  const tp = new Tp(laptop);
  await using own = await cluster.namespace("names");
  const upstream = laptop.clusterLink.ipv4;
  const namespace = own.name;
  await using dns = await forwardingDns(cluster, { namespace, upstream });
  await using place = await managerPlace(cluster);
  await tp.ok(["install", ...place.flag]);
  const manager = "statefulset/traffic-manager";
  const { code, stderr } = await cluster.kubectl([
    ...["patch", manager, `--namespace=${place.namespace}`, "--patch"],
    JSON.stringify({
      spec: {
        template: {
          spec: {
            dnsPolicy: "None",
            dnsConfig: {
              nameservers: [dns.address],
              searches: [
                ...[`${place.namespace}.svc.cluster.local`],
                ...["svc.cluster.local", "cluster.local"],
              ],
            },
          },
        },
      },
    }),
  ]);
  assert.equal(code, 0, stderr);
  await cluster.rolledOut(manager, { namespace: place.namespace });
  await using _open = await laptop.openToCluster();
  await tp.ok(["connect", ...place.flag, "--namespace", namespace]);
  const status = async () =>
    JSON.parse(await tp.ok(["status", "--output", "json"]));
  const { root_daemon: { dns: { vif_address: vif } } } = await status();

  // The laptop's own forwarder, which asks the laptop's resolver: us.
  const forwarder = laptop.spawn([
    ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"],
    ...["--pid-file=", "--user=root", "--no-resolv", "--no-hosts"],
    ...["--bind-interfaces", "--cache-size=0", "--except-interface=lo"],
    ...[`--listen-address=${upstream}`, `--server=${vif}`],
  ]);
  try {
    const dig = async (...args: string[]) => {
      const startedMs = performance.now();
      const { stdout } = await laptop.run([
        ...["dig", "+time=8", "+tries=1", "+noall", "+comments", "+answer"],
        ...args,
      ]);
      const code = /status: (\w+)/.exec(stdout)?.[1] ?? "silent";
      const address = /\sA\s+(\S+)/.exec(stdout)?.[1] ?? "";
      const ms = performance.now() - startedMs;
      return { told: `${code} ${address}`.trim(), ms };
    };
    await waitFor("the way from the cluster's DNS to the laptop", async () => {
      const { told } = await dig(`@${dns.address}`, outside.name);
      return told === `NOERROR ${outside.web.ipv4}` || told;
    });
    const found = await dig("dns");
    assert.equal(found.told, `NOERROR ${dns.address}`);
    const { traffic: { dns_queries: queriesBefore } } = await status();
    const absent = ["absent", `missing.${namespace}.svc`].concat(
      `lost.${namespace}.svc.cluster.local`,
      "absent.cluster.local",
    );
    const questions = [
      ...absent.map((name) => [name]),
      ["-x", "10.96.255.254"],
      [`_http._tcp.absent.${namespace}.svc`, "SRV"],
    ];
    for (const question of questions) {
      const { told, ms } = await dig(...question);
      say(`${question.join(" ")}: ${told} in ${ms.toFixed(0)} ms`);
      assert.equal(told, "NXDOMAIN", question.join(" "));
      assert.ok(ms < 2_000, `${question.join(" ")} took ${ms} ms`);
    }
    const many = Array.from({ length: 50 }, (_, i) => `many-${i}`);
    const answers = await Promise.all(many.map((name) => dig(name)));
    assert.deepEqual([...new Set(answers.map(({ told }) => told))], [
      "NXDOMAIN",
    ]);
    const { traffic } = await status();
    const asked = questions.length + many.length;
    const answered = traffic.dns_queries - queriesBefore;
    say(`${asked} questions, ${answered} arrived, ${traffic.dns_loops} loops`);
    assert.equal(traffic.dns_loops, asked);
    // Each comes back once, and with it a probe or more; in a circle it would come back without end.
    assert.ok(answered <= 8 * asked, `${answered} queries`);
  } finally {
    forwarder.kill("SIGKILL");
    await forwarder.status;
  }
  await tp.ok(["quit"]);
  assert.equal(await laptop.snapshot(), before);
});

/** Services of every kind, and the names that lead to them. */
import type { Cluster } from "../cluster/mod.ts";

/** Services that differ in nothing but their name, in each namespace. */
const alike = Array.from({ length: 10 }, (_, i) => `svc-${i}`);

/** The labels below a service, or none. */
const named: readonly (readonly [below: string, service: string])[] = [
  ...["web", "both", "six", "node", "hand", "hand-headless", "old"]
    .map((name) => ["", name] as const),
  ...["old-headless", "bare", "nobody"].map((name) => ["", name] as const),
  ...["inside", "inside-twice", "circle", "circle-back", "absent", ...alike]
    .map((name) => ["", name] as const),
  ...["bare-0.", "bare-1.", "bare-7.", "_http._tcp.", "_dns._udp."].map((
    below,
  ) => [below, "bare"] as const),
  ...["_http._tcp.", "_dns._udp.", "_none._tcp."].map((below) =>
    [below, "web"] as const
  ),
  ["_http._tcp.", "hand-headless"],
  ["pod-0.", "hand-headless"],
  ["_http._tcp.", "old-headless"],
  ["pod-0.", "old-headless"],
];

export interface NamesWorld {
  /** Each as an app may write it, and in full. */
  readonly names: readonly { readonly form: string; readonly full: string }[];
  /** Reverse names of services' and pods' addresses, and of one that nobody has. */
  readonly reverse: readonly string[];
}

/** Makes the services in two namespaces, of which the first is the one that is connected to, and waits for their pods. */
export async function makeNamesWorld(
  cluster: Cluster,
  [own, other]: readonly [own: string, other: string],
): Promise<NamesWorld> {
  for (const namespace of [own, other]) {
    await cluster.apply(JSON.stringify({
      ...{ apiVersion: "v1", kind: "List" },
      items: objects(namespace, other),
    }));
  }
  for (const namespace of [own, other]) {
    await cluster.rolledOut("statefulset/bare", { namespace });
  }
  const names = [own, other].flatMap((namespace) =>
    named.flatMap(([below, service]) => {
      const name = `${below}${service}`;
      const full = `${name}.${namespace}.svc.cluster.local`;
      const forms = [`${name}.${namespace}`, `${name}.${namespace}.svc`, full];
      // A single label is of the connection's namespace.
      if (namespace === own && below === "") forms.push(name);
      return forms.map((form) => ({ form, full }));
    })
  );
  const addresses = await addressesIn(cluster, [own, other]);
  const pods = addresses.filter((ip) => ip.startsWith("10.244.")).map((ip) =>
    `${ip.replaceAll(".", "-")}.${own}.pod.cluster.local`
  );
  const zones = ["cluster.local", "svc.cluster.local", `${own}.svc`];
  const single = ["absent.cluster.local", "dns-version.cluster.local"];
  const others = [...pods, ...zones, ...single].map((form) => ({
    form,
    full: form.endsWith(".svc") ? `${form}.cluster.local` : form,
  }));
  const reverse = [...addresses, "10.96.255.254"].map(reverseOf);
  return { names: [...names, ...others], reverse };
}

function objects(namespace: string, other: string): unknown[] {
  const http = { name: "http", port: 80, targetPort: 8080 };
  const dns = { name: "dns", port: 53, protocol: "UDP" };
  const service = (name: string, spec: Record<string, unknown>) => ({
    ...{ apiVersion: "v1", kind: "Service" },
    metadata: { name, namespace },
    spec: { ports: [http, dns], ...spec },
  });
  const alias = (name: string, externalName: string) => ({
    ...service(name, {}),
    spec: { type: "ExternalName", externalName },
  });
  const slice = (name: string, endpoints: unknown[]) => ({
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
    metadata: {
      ...{ name: `${name}-own`, namespace },
      labels: { "kubernetes.io/service-name": name },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints,
  });
  const conditions = { ready: true };
  // As before there were slices; the cluster makes one of them.
  const endpoints = (name: string, addresses: unknown[]) => ({
    ...{ apiVersion: "v1", kind: "Endpoints", metadata: { name, namespace } },
    subsets: [{ addresses, ports: [{ name: "http", port: 8080 }] }],
  });
  return [
    ...["web", ...alike].map((name) => service(name, {})),
    service("both", { ipFamilyPolicy: "PreferDualStack" }),
    service("six", { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" }),
    service("node", { type: "NodePort" }),
    service("hand", {}),
    slice("hand", [{ addresses: ["10.244.250.1"], conditions }]),
    service("hand-headless", { clusterIP: "None" }),
    slice("hand-headless", [
      { addresses: ["10.244.250.2"], hostname: "pod-0", conditions },
      { addresses: ["10.244.250.3"], conditions },
    ]),
    service("old", {}),
    endpoints("old", [{ ip: "10.244.250.4" }]),
    service("old-headless", { clusterIP: "None" }),
    endpoints("old-headless", [
      { ip: "10.244.250.5", hostname: "pod-0" },
      { ip: "10.244.250.6" },
    ]),
    service("bare", { clusterIP: "None", selector: { app: "bare" } }),
    service("nobody", { clusterIP: "None", selector: { app: "nobody" } }),
    alias("inside", `web.${other}.svc.cluster.local`),
    alias("inside-twice", `inside.${namespace}.svc.cluster.local`),
    alias("circle", `circle-back.${namespace}.svc.cluster.local`),
    alias("circle-back", `circle.${namespace}.svc.cluster.local`),
    statefulSet(namespace),
  ];
}

function statefulSet(namespace: string) {
  const labels = { app: "bare" };
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  return {
    ...{ apiVersion: "apps/v1", kind: "StatefulSet" },
    metadata: { name: "bare", namespace },
    spec: {
      ...{ serviceName: "bare", replicas: 2 },
      podManagementPolicy: "Parallel",
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [{
            ...{ name: "app", image: `${registry}/tools:1` },
            args: ["-c", "sleep 100000"],
          }],
        },
      },
    },
  };
}

/** IPv4 addresses of the services and pods of the namespaces. */
async function addressesIn(
  cluster: Cluster,
  namespaces: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const namespace of namespaces) {
    const { stdout } = await cluster.kubectl([
      ...["get", "services,pods", `--namespace=${namespace}`],
      "--output=jsonpath={.items[*].spec.clusterIP} {.items[*].status.podIP}",
    ]);
    found.push(...stdout.split(/\s+/).filter((word) => /^10\./.test(word)));
  }
  return found;
}

function reverseOf(ip: string): string {
  return `${ip.split(".").reverse().join(".")}.in-addr.arpa`;
}

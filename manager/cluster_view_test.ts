import assert from "node:assert/strict";
import { setLogSink } from "../log.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip, Subnet } from "../net/mod.ts";
import { ClusterView } from "./cluster_view.ts";
import { Feed } from "./feed.ts";
import { whyForbidden } from "./leash.ts";
import { FakeCluster } from "./watch_fake.ts";
import type { World } from "./world.ts";
import { WithheldNames } from "./intercepts/withheld_names.ts";

setLogSink(() => {});

const named = (name: string) => ({ metadata: { name } });
const node = (name: string, podCIDR?: string) => ({
  metadata: { name },
  spec: podCIDR ? { podCIDR, podCIDRs: [podCIDR] } : {},
  status: {
    addresses: [
      { type: "InternalIP", address: "192.0.2.10" },
      { type: "Hostname", address: name },
    ],
  },
});
const pod = (name: string, ip: string, more: object = {}) => ({
  metadata: { name, namespace: "default" },
  spec: { containers: [], ...more },
  status: { phase: "Running", podIPs: [{ ip }] },
});
const serviceCidr = {
  metadata: { name: "kubernetes" },
  spec: { cidrs: ["10.96.0.0/16", "fd00:96::/112"] },
};
const apiServer = {
  metadata: { name: "kubernetes", namespace: "default" },
  addressType: "IPv4",
  endpoints: [{ addresses: ["192.0.2.10"] }],
  ports: [{ name: "https", port: 6443 }],
};

function setUp({ refused = [] as string[], ranges = [] as Subnet[] } = {}) {
  const cluster = new FakeCluster();
  for (const plural of refused) cluster.refused.add(plural);
  const clock = new FakeClock();
  const world = new Feed<World>();
  const view = new ClusterView({
    watch: cluster.watch,
    askServiceRanges: () => Promise.resolve(ranges),
    self: {
      settings: {
        ...{ podName: "traffic-manager-0", image: "tp:test" },
        namespace: "ambassador",
        ownAddresses: [Ip.parse("10.244.0.7")],
        exemptions: [],
        withheld: WithheldNames.parse(""),
        memoryLimitBytes: 0,
      },
      resolvConf: {
        nameservers: [Ip.parse("10.96.0.10"), Ip.parse("10.96.0.11")],
        clusterDomain: "cluster.local",
      },
      version: "0.1.0",
    },
    world,
    clock,
  });
  /** Lets what was told arrive, and the time of gathering pass. */
  const settle = async (ms = 100) => {
    await new Promise((resolve) => setTimeout(resolve));
    clock.advance(ms);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { cluster, view, settle, seen: () => world.value };
}

const texts = (subnets?: readonly Subnet[]) => subnets?.map(String);

Deno.test("ClusterView tells nothing before all is known, then everything", async () => {
  const { cluster, seen, view, settle } = setUp();
  await using _view = view;
  cluster.list("namespaces", named("shop"), named("default"));
  cluster.list("nodes", node("a", "10.244.0.0/24"), node("b", "10.244.1.0/24"));
  cluster.list("servicecidrs", serviceCidr);
  await settle();
  assert.equal(seen(), undefined);
  cluster.list("endpointslices/default", apiServer);
  await settle();
  assert.deepEqual(seen(), {
    clusterDomain: "cluster.local",
    namespaces: ["default", "shop"],
    serviceSubnets: [
      Subnet.parse("10.96.0.0/16"),
      Subnet.parse("fd00:96::/112"),
    ],
    podSubnets: [Subnet.parse("10.244.0.0/23")],
    nameserver: Ip.parse("10.96.0.10"),
    version: "0.1.0",
  });
  assert.equal(
    cluster.selectors.get("endpointslices/default"),
    "metadata.name=kubernetes",
  );
  assert.ok(!cluster.watches("pods"));
});

Deno.test("ClusterView tells changes together, and not what laptops do not see", async () => {
  const { cluster, seen, view, settle } = setUp();
  await using _view = view;
  cluster.list("namespaces", named("default"));
  cluster.list("nodes", node("a", "10.244.0.0/24"));
  cluster.list("servicecidrs", serviceCidr);
  cluster.list("endpointslices/default", apiServer);
  await settle();
  const first = seen();
  cluster.tell("nodes", "ADDED", node("a", "10.244.0.0/24"));
  await settle();
  assert.equal(seen(), first);
  cluster.tell("namespaces", "ADDED", named("shop"));
  cluster.tell("nodes", "ADDED", node("b", "10.244.1.0/24"));
  await settle(99);
  assert.equal(seen(), first);
  await settle(1);
  assert.deepEqual(seen()?.namespaces, ["default", "shop"]);
  assert.deepEqual(texts(seen()?.podSubnets), ["10.244.0.0/23"]);
  cluster.tell("namespaces", "DELETED", named("shop"));
  await settle();
  assert.deepEqual(seen()?.namespaces, ["default"]);
});

Deno.test("ClusterView watches pods only while the nodes do not tell where they live", async () => {
  const { cluster, seen, view, settle } = setUp();
  await using _view = view;
  cluster.list("namespaces");
  cluster.list("nodes", node("a"));
  cluster.list("servicecidrs", serviceCidr);
  cluster.list("endpointslices/default", apiServer);
  await settle();
  assert.ok(cluster.watches("pods"));
  assert.equal(seen(), undefined);
  cluster.list(
    "pods",
    pod("a", "10.244.3.9"),
    pod("b", "10.244.3.10"),
    pod("c", "192.0.2.10", { hostNetwork: true }),
  );
  await settle();
  assert.deepEqual(texts(seen()?.podSubnets), [
    "10.244.0.0/24",
    "10.244.3.0/24",
  ]);
  cluster.tell("nodes", "ADDED", node("a", "10.244.0.0/16"));
  await settle();
  assert.deepEqual(texts(seen()?.podSubnets), ["10.244.0.0/16"]);
  assert.ok(!cluster.watches("pods"));
});

Deno.test("ClusterView makes do where the API server lets it see little, and tries again", async () => {
  const { cluster, seen, view, settle } = setUp({
    refused: [
      "namespaces",
      "nodes",
      "servicecidrs",
      "endpointslices/default",
      "pods",
    ],
    ranges: [Subnet.parse("10.96.0.0/16")],
  });
  await using _view = view;
  await settle();
  await settle();
  assert.deepEqual(seen()?.namespaces, ["ambassador"]);
  assert.deepEqual(texts(seen()?.serviceSubnets), ["10.96.0.0/16"]);
  assert.deepEqual(texts(seen()?.podSubnets), ["10.244.0.0/24"]);
  const kubelet = { ip: Ip.parse("198.51.100.1"), port: 10250 };
  assert.ok(whyForbidden(kubelet, view.leashFacts));
  cluster.refused.clear();
  await settle(30_000);
  cluster.list("namespaces", named("default"));
  cluster.list("nodes", node("a", "10.244.0.0/24"));
  await settle();
  assert.deepEqual(seen()?.namespaces, ["default"]);
  assert.equal(whyForbidden(kubelet, view.leashFacts), undefined);
});

Deno.test("ClusterView gives the leash nodes and API servers", async () => {
  const { cluster, view, settle } = setUp();
  await using _view = view;
  cluster.list("nodes", node("a", "10.244.0.0/24"));
  cluster.list("endpointslices/default", apiServer);
  await settle();
  const at = (port: number) =>
    whyForbidden({ ip: Ip.parse("192.0.2.10"), port }, view.leashFacts);
  assert.ok(at(10250) && at(6443));
  assert.equal(at(443), undefined);
});

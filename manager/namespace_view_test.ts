import assert from "node:assert/strict";
import { setLogSink } from "../log.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip, RefusedError } from "../net/mod.ts";
import { Feed } from "./feed.ts";
import { NamespaceAddresses } from "./namespace_addresses.ts";
import { NamespaceView } from "./namespace_view.ts";
import { FakeCluster } from "./watch_fake.ts";
import type { World } from "./world.ts";

setLogSink(() => {});

const service = (name: string, ...clusterIPs: string[]) => ({
  metadata: { name, namespace: "shop" },
  spec: { clusterIP: clusterIPs[0], clusterIPs },
});
const pod = (name: string, ip: string, more: object = {}) => ({
  metadata: { name, namespace: "shop" },
  spec: { containers: [], ...more },
  status: { phase: "Running", podIPs: [{ ip }] },
});

const whole: World = {
  clusterDomain: "cluster.local",
  namespaces: ["bakery", "default", "shop"],
  serviceSubnets: [],
  podSubnets: [],
  nameserver: Ip.parse("10.96.0.10"),
  version: "0.1.0",
};

function setUp() {
  const cluster = new FakeCluster();
  const world = new Feed<World>();
  world.set(whole);
  const { watch } = cluster;
  const addresses = new NamespaceAddresses({ watch, clock: new FakeClock() });
  return { cluster, world, addresses };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

/** Follows a view; what it tells stands in the list. */
function follow(view: NamespaceView) {
  const told: { namespaces: readonly string[]; addresses: string[] }[] = [];
  const abort = new AbortController();
  const ended = (async () => {
    for await (const { namespaces, addresses = [] } of view.follow(abort)) {
      told.push({ namespaces, addresses: addresses.map(String) });
    }
  })();
  return {
    told,
    async [Symbol.asyncDispose]() {
      abort.abort();
      await ended;
    },
  };
}

Deno.test("NamespaceView tells the addresses of Services and pods of its namespaces, and what becomes of them", async () => {
  const { cluster, world, addresses } = setUp();
  await using _addresses = addresses;
  using view = new NamespaceView(["shop", "absent"], { world, addresses });
  await using following = follow(view);
  const { told } = following;
  for (const place of ["services/absent", "pods/absent"]) cluster.list(place);
  cluster.list(
    "services/shop",
    service("web", "10.96.0.7", "fd00:96::7"),
    service("headless", "None"),
    { metadata: { name: "outside" }, spec: { externalName: "a.example" } },
  );
  await settle();
  assert.equal(told.length, 0);
  cluster.list(
    "pods/shop",
    pod("web-0", "10.244.0.9"),
    pod("proxy", "192.0.2.10", { hostNetwork: true }),
  );
  await settle();
  assert.deepEqual(told, [{
    namespaces: ["shop"],
    addresses: ["10.96.0.7", "fd00:96::7", "10.244.0.9"],
  }]);

  cluster.tell("pods/shop", "DELETED", pod("web-0", "10.244.0.9"));
  cluster.tell("pods/shop", "ADDED", pod("web-1", "10.244.0.11"));
  await settle();
  assert.deepEqual(told.at(-1)?.addresses, [
    ...["10.96.0.7", "fd00:96::7", "10.244.0.11"],
  ]);
  const before = told.length;
  world.set({ ...whole, namespaces: ["default", "shop"] });
  await settle();
  assert.equal(told.length, before, "another namespace is not told of");
  world.set({ ...whole, namespaces: ["absent", "shop"] });
  await settle();
  assert.deepEqual(told.at(-1)?.namespaces, ["absent", "shop"]);
});

Deno.test("NamespaceAddresses watches a namespace once, and only while somebody wants it", async () => {
  const { cluster, world, addresses } = setUp();
  await using _addresses = addresses;
  const first = new NamespaceView(["shop"], { world, addresses });
  const second = new NamespaceView(["shop", "bakery"], { world, addresses });
  await settle();
  assert.deepEqual(cluster.watched, [
    ...["pods/bakery", "pods/shop", "services/bakery", "services/shop"],
  ]);
  assert.equal(cluster.begun.length, 4);
  second[Symbol.dispose]();
  assert.deepEqual(cluster.watched, ["pods/shop", "services/shop"]);
  first[Symbol.dispose]();
  assert.deepEqual(cluster.watched, []);
  assert.equal(addresses.size, 0);
});

Deno.test("NamespaceView reaches nothing that the manager may not see", async () => {
  const { cluster, world, addresses } = setUp();
  await using _addresses = addresses;
  cluster.refused.add("pods/shop");
  using view = new NamespaceView(["shop"], { world, addresses });
  await using following = follow(view);
  cluster.list("services/shop", service("web", "10.96.0.7"));
  await settle();
  assert.deepEqual(following.told, [
    { namespaces: ["shop"], addresses: ["10.96.0.7"] },
  ]);
});

Deno.test("NamespaceView keeps what was seen when the API server says no for a while", async () => {
  const { cluster, world, addresses } = setUp();
  await using _addresses = addresses;
  using view = new NamespaceView(["shop"], { world, addresses });
  await using following = follow(view);
  cluster.list("services/shop", service("web", "10.96.0.7"));
  cluster.list("pods/shop", pod("web-0", "10.244.0.9"));
  await settle();
  cluster.refuse("pods/shop");
  await settle();
  assert.deepEqual(following.told, [
    { namespaces: ["shop"], addresses: ["10.96.0.7", "10.244.0.9"] },
  ]);
});

Deno.test("NamespaceAddresses watches a bounded number of namespaces, and a view that has no room leaves nothing behind", async () => {
  const { world, addresses } = setUp();
  await using _addresses = addresses;
  const names = Array.from({ length: 1023 }, (_, i) => `n-${i}`);
  using _many = new NamespaceView(names, { world, addresses });
  assert.throws(
    () => new NamespaceView(["one", "two"], { world, addresses }),
    (error) => error instanceof RefusedError && error.refusal === "overloaded",
  );
  assert.equal(addresses.size, 1023);
});

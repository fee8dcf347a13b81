import assert from "node:assert/strict";
import { ResolverError, reverseZones } from "../dns/edges/mod.ts";
import { FakeResolverEdge } from "../dns/edges/edge_fake.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Ip, Subnet } from "../net/mod.ts";
import { DeviceError } from "../vpn/device.ts";
import { FakeNetworkEdge } from "../vpn/device_fake.ts";
import { Host } from "./host.ts";
import type { RefusalCode } from "./refusal.ts";
import { ResolverKeeper } from "./resolver_keeper.ts";

const v4 = Subnet.parse("198.18.0.0/29");
const v6 = Subnet.parse("fd00:1::/64");
const cluster = Subnet.parse("10.96.0.0/12");

function setUp() {
  const network = new FakeNetworkEdge();
  const edge = new FakeResolverEdge();
  const clock = new FakeClock();
  const resolver = new ResolverKeeper({
    ...{ edge, clock },
    block: () => {},
    unblock: () => {},
  });
  const record = (changes: unknown) => {
    network.done.push(`record ${JSON.stringify(changes)}`);
    return Promise.resolve();
  };
  const host = new Host({ network, resolver, clock, record });
  return { network, edge, clock, host };
}

async function refuses(
  promise: Promise<unknown>,
  code: RefusalCode,
): Promise<void> {
  await assert.rejects(promise, { name: "Refused", code });
}

Deno.test("openDevice() writes down what is to be undone before it changes anything", async () => {
  const { network, host } = setUp();
  assert.deepEqual(await host.openDevice({ mtu: 1500, v4, v6 }), {
    name: "tp0",
    fd: 99,
  });
  assert.deepEqual(network.done, [
    'record {"unreachable":["198.18.0.0/29","fd00:1::/64"]}',
    "unreachable 198.18.0.0/29",
    "unreachable fd00:1::/64",
    "open 198.18.0.1 fd00:1::1 mtu 1500",
    'record {"unreachable":["198.18.0.0/29","fd00:1::/64"],"device":{"name":"tp0","index":7}}',
  ]);
});

Deno.test("openDevice() refuses a second device, none at all, and one without a sane MTU", async () => {
  const { network, host } = setUp();
  await refuses(host.openDevice({ mtu: 1500 }), "malformed");
  await refuses(host.openDevice({ mtu: 1279, v4 }), "malformed");
  await refuses(host.openDevice({ mtu: 65536, v4 }), "malformed");
  assert.deepEqual(network.done, []);
  await host.openDevice({ mtu: 1280, v4 });
  await refuses(host.openDevice({ mtu: 1280, v4 }), "device-open");
});

Deno.test("openDevice() tells why the kernel gave no device and takes back what it set", async () => {
  for (const failure of ["tun-missing", "tun-denied", "tun-busy"] as const) {
    const { network, host } = setUp();
    network.openDevice = () =>
      Promise.reject(new DeviceError(failure, "no device"));
    await refuses(host.openDevice({ mtu: 1500, v4 }), failure);
    assert.deepEqual(network.done.slice(1), [
      "unreachable 198.18.0.0/29",
      "reachable 198.18.0.0/29",
    ]);
    assert.deepEqual(await host.undo(), []);
  }
});

Deno.test("routes start from the laptop's address of their family", async () => {
  const { network, host } = setUp();
  await host.openDevice({ mtu: 1500, v4, v6 });
  network.done.length = 0;
  await host.addRoute(cluster);
  await host.addRoute(Subnet.parse("fd10::/108"));
  await host.deleteRoute(cluster);
  await host.deleteRoute(cluster); // is gone already
  assert.deepEqual(network.done, [
    "route 10.96.0.0/12 dev 7 src 198.18.0.1",
    "route fd10::/108 dev 7 src fd00:1::1",
    "unroute 10.96.0.0/12 dev 7",
  ]);
});

Deno.test("addRoute() sets again what somebody took away, and leaves it when the host has it meanwhile", async () => {
  const { network, edge, clock, host } = setUp();
  await host.openDevice({ mtu: 1500, v4, v6 });
  await host.addRoute(cluster);
  network.done.length = 0;
  await host.addRoute(cluster);
  await host.addRoute(v4);
  await host.addRoute(v6);
  assert.deepEqual(network.done, [
    "unroute 10.96.0.0/12 dev 7",
    "route 10.96.0.0/12 dev 7 src 198.18.0.1",
    "unreachable 198.18.0.0/29",
    "restore 198.18.0.0/29 dev 7",
    "unreachable fd00:1::/64",
    "restore fd00:1::/64 dev 7",
  ]);
  await host.setResolver(v4.at(3));
  assert.deepEqual(edge.plan!.zones, reverseZones([cluster], 64));
  network.host = {
    onLink: [Subnet.parse("10.96.0.0/11"), Subnet.parse("198.18.0.0/24")],
    routed: [],
  };
  clock.advance(500);
  await refuses(host.addRoute(cluster), "subnet-on-link");
  await refuses(host.addRoute(v4), "subnet-on-link");
  network.done.length = 0;
  await host.deleteRoute(cluster);
  assert.deepEqual(network.done, ["unroute 10.96.0.0/12 dev 7"]);
});

Deno.test("routes and resolver need a device first, of the right family", async () => {
  const { host } = setUp();
  await refuses(host.addRoute(cluster), "device-missing");
  await refuses(host.deleteRoute(cluster), "device-missing");
  await refuses(host.setResolver(v4.at(3)), "device-missing");
  await host.openDevice({ mtu: 1500, v4 });
  await refuses(host.addRoute(Subnet.parse("fd10::/108")), "device-missing");
});

Deno.test("addRoute() asks what the host has: links, routes, nameservers", async () => {
  const { network, edge, clock, host } = setUp();
  await host.openDevice({ mtu: 1500, v4 });
  network.host = { onLink: [Subnet.parse("10.96.0.0/11")], routed: [] };
  clock.advance(500);
  await refuses(host.addRoute(cluster), "subnet-on-link");
  network.host = { onLink: [], routed: [] };
  edge.ownNameservers = [Ip.parse("10.100.0.53")];
  clock.advance(500);
  await refuses(host.addRoute(cluster), "subnet-nameserver");
  edge.ownNameservers = [];
  clock.advance(500);
  network.failure = new DeviceError("exists", "EEXIST");
  await refuses(host.addRoute(cluster), "subnet-taken");
});

Deno.test("setResolver() takes an address on the device only", async () => {
  const { edge, host } = setUp();
  await host.openDevice({ mtu: 1500, v4 });
  for (const text of ["8.8.8.8", "127.0.0.1", "198.18.0.8", "198.18.0.1"]) {
    await refuses(host.setResolver(Ip.parse(text)), "nameserver-outside");
  }
  edge.failure = new ResolverError("disk-full", "no space");
  await refuses(host.setResolver(v4.at(3)), "disk-full");
  await host.setResolver(v4.at(3));
  assert.deepEqual(edge.done, ["apply 198.18.0.3"]);
});

Deno.test("setResolver() takes the zones that were added, and those of the routes", async () => {
  const { edge, host } = setUp();
  await host.openDevice({ mtu: 1500, v4 });
  await host.addRoute(Subnet.parse("10.244.0.0/16"));
  host.addZone({ zone: "svc", use: "ask" });
  host.addZone({ zone: "web.svc.cluster.local", use: "search" });
  for (
    const [zone, code] of [["com", "zone-top-level"], [".", "zone-malformed"]]
  ) {
    assert.throws(() => host.addZone({ zone: zone!, use: "ask" }), { code });
  }
  host.addZone({ zone: "dev", use: "ask-top-level" });
  assert.equal(await host.setResolver(v4.at(3)), "plain");
  const reverse = "244.10.in-addr.arpa";
  assert.deepEqual(edge.plan, {
    zones: ["svc", "dev", reverse],
    search: ["web.svc.cluster.local"],
  });
  for (let n = 0; n < 192; n++) host.addZone({ zone: `z${n}`, use: "ask" });
  assert.throws(() => host.addZone({ zone: "z192", use: "ask" }), {
    code: "too-many-zones",
  });
  await host.setResolver(v4.at(3));
  assert.equal(edge.plan!.zones.length, 193);
  assert.equal(edge.plan!.zones.at(-1), reverse);
  await host.setResolver(v4.at(3));
  assert.deepEqual(edge.plan, { zones: [reverse], search: [] });
});

Deno.test("a few top-level domains are taken if the user wants them, what is every host's own never", () => {
  const { host } = setUp();
  const use = "ask-top-level";
  for (const zone of ["local", "localhost", "arpa", "10.in-addr.arpa"]) {
    assert.throws(() => host.addZone({ zone, use }), {
      code: "zone-top-level",
    });
  }
  const some = ["dev", "app", "io", "com", "net", "org", "de", "fr"];
  for (const zone of some) host.addZone({ zone, use });
  assert.throws(() => host.addZone({ zone: "uk", use }), {
    code: "zone-top-level",
  });
});

Deno.test("undo() begins with the resolver and goes on after a step that failed", async () => {
  const { network, edge, host } = setUp();
  await host.openDevice({ mtu: 1500, v4 });
  await host.setResolver(v4.at(3));
  network.done.length = 0;
  edge.failure = new Error("read-only");
  network.failure = new Error("no such device");
  const errors = await host.undo();
  assert.deepEqual(errors.map(String), [
    "Error: read-only",
    "Error: no such device",
  ]);
  assert.deepEqual(network.done, ["reachable 198.18.0.0/29"]);
});

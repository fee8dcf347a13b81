import assert from "node:assert/strict";
import { Ip, readUint16, type Refusal, RefusedError } from "../net/mod.ts";
import { addsUp, viewOf } from "../net/packet/packet_fake.ts";
import {
  datagram,
  laptop,
  peer,
  service,
  turn,
  World,
} from "./datagram_flows_fake.ts";

Deno.test("datagrams of one 5-tuple are one flow, and none is lost while it is dialled", async () => {
  await using world = new World();
  world.send("one");
  world.send("two");
  await turn();
  world.send("three");
  world.send("other port", { port: 8 });
  world.send("other service", { to: "10.96.0.2" });
  await turn();
  assert.deepEqual(world.dialled.map(({ sent }) => sent), [
    ["one", "two", "three"],
    ["other port"],
    ["other service"],
  ]);
  assert.equal(
    `${world.dialled[0]!.to.ip} ${world.dialled[0]!.to.port}`,
    `${service} 7`,
  );
});

for (const to of [service, "fd00:96::1"]) {
  Deno.test(`an answer from ${to} is a datagram to the app, whatever its length`, async () => {
    await using world = new World();
    world.send("hello", { to });
    await turn();
    for (const length of [0, 1, 1500, 65_507]) {
      const payload = new Uint8Array(length).map((_, i) => i);
      world.dialled[0]!.answer(payload);
      await turn();
      const packet = world.written.pop()!;
      const view = viewOf(packet);
      assert.equal(String(view.sourceIp), to);
      assert.equal(view.end, packet.length);
      assert.deepEqual(packet.subarray(view.payload + 8), payload);
      assert.equal(readUint16(packet, view.payload), 7);
      assert.equal(readUint16(packet, view.payload + 2), 1000);
      assert.equal(readUint16(packet, view.payload + 4), 8 + length);
    }
  });
}

Deno.test("a joined packet of segmentation offload is as many datagrams", async () => {
  await using world = new World();
  // VIRTIO_NET_HDR_GSO_UDP_L4 with segments of 4 octets
  world.packet(datagram("onesandtwosandmore"), [1, 5, 0, 0, 4, 0]);
  await turn();
  assert.deepEqual(world.dialled[0]!.sent, [
    "ones",
    "andt",
    "wosa",
    "ndmo",
    "re",
  ]);
});

Deno.test("an idle flow ends after two minutes, one to a DNS server sooner", async () => {
  await using world = new World();
  world.send("a");
  world.send("q", { port: 53 });
  await turn();
  world.clock.advance(10_000);
  world.flows.sweep();
  assert.deepEqual(world.dialled.map(({ isClosed }) => isClosed), [
    false,
    true,
  ]);
  // What comes from the service keeps a flow as well as what comes from the app.
  world.dialled[0]!.answer(new Uint8Array(1));
  await turn();
  world.clock.advance(119_000);
  world.flows.sweep();
  assert.equal(world.dialled[0]!.isClosed, false);
  world.clock.advance(1_000);
  world.flows.sweep();
  assert.equal(world.dialled[0]!.isClosed, true);
  assert.equal(world.flows.current, 0);
  world.send("b");
  await turn();
  assert.deepEqual(world.dialled[2]!.sent, ["b"]);
});

Deno.test("a flow that its service ends is dialled again by the next datagram", async () => {
  await using world = new World();
  world.send("a");
  await turn();
  world.dialled[0]!.answer(null);
  await turn();
  assert.equal(world.flows.current, 0);
  world.send("b");
  await turn();
  assert.deepEqual(world.dialled[1]!.sent, ["b"]);
});

const refusals: [Refusal, code: number | undefined, from: string][] = [
  ["refused", 3, service], // port unreachable, told by the service
  ["unreachable", 1, peer],
  ["forbidden", 13, peer],
  ["timeout", undefined, ""],
];

for (const [refusal, code, from] of refusals) {
  Deno.test(`a flow refused as "${refusal}" is answered by ${code === undefined ? "silence" : `code ${code}`}`, async () => {
    await using world = new World(() =>
      Promise.reject(new RefusedError(refusal, "no"))
    );
    world.send("anyone?");
    await turn();
    assert.equal(world.flows.current, 0);
    assert.equal(world.counters.read().udp_refused, 1);
    assert.equal(world.written.length, code === undefined ? 0 : 1);
    if (code === undefined) return;
    const { bytes, payload, sourceIp, destinationIp } = viewOf(
      world.written[0]!,
    );
    assert.deepEqual([bytes[payload], bytes[payload + 1]], [3, code]);
    assert.equal(String(sourceIp), from);
    assert.equal(String(destinationIp), laptop);
    assert.deepEqual(bytes.slice(payload + 8), datagram("anyone?"));
  });
}

Deno.test("a flow that is refused after its dial ends with a port unreachable, and the next datagram begins another", async () => {
  await using world = new World();
  world.send("anyone?");
  await turn();
  world.dialled[0]!.refuse("refused");
  await turn();
  assert.equal(world.flows.current, 0);
  assert.equal(world.counters.read().udp_refused, 1);
  const { bytes, payload, sourceIp } = viewOf(world.written[0]!);
  assert.deepEqual([bytes[payload], bytes[payload + 1]], [3, 3]);
  assert.equal(String(sourceIp), service);
  assert.deepEqual(bytes.slice(payload + 8), datagram("anyone?"));
  world.send("again?");
  await turn();
  assert.deepEqual(world.dialled[1]!.sent, ["again?"]);
  assert.equal(world.written.length, 1);
});

Deno.test("apps are told when flows end with the device, and not when they are idle", async () => {
  for (const isDialled of [true, false]) {
    const dial = isDialled ? undefined : () => new Promise<never>(() => {});
    await using world = new World(dial);
    world.send("idle", { port: 8 });
    await turn();
    world.clock.advance(120_000);
    world.flows.sweep();
    await turn();
    assert.equal(world.written.length, 0);
    world.send("anyone?");
    await turn();
    await world.flows.stop();
    assert.equal(world.written.length, 1);
    const { bytes, payload, sourceIp } = viewOf(world.written[0]!);
    assert.deepEqual([bytes[payload], bytes[payload + 1]], [3, 3]);
    assert.equal(String(sourceIp), service);
    assert.deepEqual(bytes.slice(payload + 8), datagram("anyone?"));
  }
});

Deno.test("datagrams that wait for a dial are bounded", async () => {
  await using world = new World(() => new Promise(() => {}));
  for (let i = 0; i < 40; i++) world.send(`${i}`);
  assert.equal(world.counters.read().udp_dropped, 8);
});

Deno.test("the quietest flow makes room for one too many", async () => {
  await using world = new World();
  for (let port = 1; port <= 1024; port++) {
    world.send("a", { port });
    world.clock.advance(1);
  }
  await turn();
  world.send("again", { port: 1 });
  world.send("one too many", { port: 2000 });
  await turn();
  assert.equal(world.flows.current, 1024);
  assert.equal(world.dialled[0]!.isClosed, false);
  assert.equal(world.dialled[1]!.isClosed, true);
  assert.equal(world.counters.read().udp_evicted, 1);
});

Deno.test("broadcast to the device's subnet and contradicting lengths are dropped", async () => {
  await using world = new World();
  world.send("a", { to: "198.18.0.7" });
  const broken = datagram("a");
  broken[25] = 200; // longer than the packet
  world.packet(broken);
  await turn();
  assert.equal(world.dialled.length, 0);
  assert.equal(world.counters.read().udp_dropped, 2);
});

Deno.test("a port that is used again towards the same service goes on with its flow, towards another begins one", async () => {
  await using world = new World();
  world.send("one");
  await turn();
  world.send("two");
  world.send("three", { to: "10.96.0.2" });
  await turn();
  assert.deepEqual(world.dialled.map(({ sent }) => sent), [
    ["one", "two"],
    ["three"],
  ]);
});

Deno.test("flows without number leave nothing behind", async () => {
  await using world = new World();
  for (let flow = 0; flow < 20_000; flow++) {
    world.packet(datagram("?", { port: 1 + flow % 65_000 }));
    if (flow % 100 === 99) await turn();
  }
  assert.equal(world.flows.current, 1024);
  assert.equal(world.counters.read().udp_evicted, 20_000 - 1024);
  assert.equal(world.dialled.filter((one) => !one.isClosed).length, 1024);
  world.clock.advance(120_000);
  world.flows.sweep();
  assert.equal(world.flows.current, 0);
  assert.ok(world.dialled.every((one) => one.isClosed));
});

Deno.test("the packets that the tests make are right themselves", () => {
  assert.ok(addsUp(datagram("hello"), 6));
  assert.ok(Ip.parse(service).equals(viewOf(datagram("hello")).destinationIp));
});

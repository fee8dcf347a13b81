import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import {
  type Datagrams,
  Ip,
  Rate,
  readUint16,
  type Refusal,
  RefusedError,
  Subnet,
  sumOf,
} from "../net/mod.ts";
import { addsUp, packetOf, viewOf } from "../net/packet/packet_fake.ts";
import { Counters } from "./counters.ts";
import { type DatagramShape, echoShape, udpShape } from "./datagram_shape.ts";
import type { DialDatagrams, Endpoint } from "./dial.ts";
import { recordKinds } from "./packet_ring.ts";
import { DatagramFlows } from "./datagram_flows.ts";

const laptop = "198.18.0.1";
const peer = "198.18.0.2";
const service = "10.96.0.1";

/** A dialled flow of datagrams whose other end is the test. */
class FakeDatagrams implements Datagrams {
  readonly sent: string[] = [];
  isClosed = false;
  readonly #waiting: ((bytes: Uint8Array | null) => void)[] = [];
  readonly #answers: (Uint8Array | null)[] = [];

  send(bytes: Uint8Array): boolean {
    this.sent.push(new TextDecoder().decode(bytes));
    return true;
  }

  answer(bytes: Uint8Array | null): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(bytes);
    else this.#answers.push(bytes);
  }

  async receive(into: Uint8Array): Promise<number | null> {
    const bytes = this.#answers.shift() ??
      await new Promise<Uint8Array | null>((resolve) =>
        this.#waiting.push(resolve)
      );
    if (bytes === null) return null;
    into.set(bytes.subarray(0, into.length));
    return Math.min(bytes.length, into.length);
  }

  close(): void {
    this.isClosed = true;
    this.answer(null);
  }
}

class World implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly counters = new Counters();
  readonly written: Uint8Array[] = [];
  readonly dialled: (FakeDatagrams & { to: Endpoint })[] = [];
  readonly flows: DatagramFlows;

  constructor(
    dialDatagrams?: DialDatagrams,
    { shape = udpShape, rate }: { shape?: DatagramShape; rate?: Rate } = {},
  ) {
    const tun = (subnet: string) => ({
      subnet: Subnet.parse(subnet),
      laptop: Subnet.parse(subnet).at(1),
      peer: Subnet.parse(subnet).at(2),
    });
    this.flows = new DatagramFlows({
      shape,
      ...rate ? { rate } : {},
      subnets: { v4: tun("198.18.0.0/29"), v6: tun("fd74::/64") },
      dialDatagrams: dialDatagrams ?? ((to) => {
        const datagrams = Object.assign(new FakeDatagrams(), { to });
        this.dialled.push(datagrams);
        return Promise.resolve(datagrams);
      }),
      write: (frame, length) => this.written.push(frame.slice(10, length)),
      counters: this.counters,
      clock: this.clock,
    });
  }

  /** Does what the worker does with a packet. */
  packet(packet: Uint8Array, vnet: number[] = []): void {
    const bytes = new Uint8Array(10 + packet.length);
    bytes.set(vnet);
    bytes.set(packet, 10);
    const kind = recordKinds.datagram;
    this.flows.onPacket({ kind, slot: 0, generation: 0, bytes });
  }

  send(text: string, options: { port?: number; to?: string } = {}): void {
    this.packet(datagram(text, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flows.stop();
  }
}

/** An app's datagram from port 1000. */
function datagram(
  text: string,
  { port = 7, to = service }: { port?: number; to?: string } = {},
): Uint8Array {
  const data = new TextEncoder().encode(text);
  const ports = [1000 >> 8, 1000 & 255, port >> 8, port & 255];
  const length = 8 + data.length;
  return packetOf({
    from: to.includes(":") ? "fd74::1" : laptop,
    to,
    protocol: 17,
    transport: [...ports, length >> 8, length & 255, 0, 0, ...data],
    checksumAt: 6,
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

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

Deno.test("an idle flow ends after a minute, one to a DNS server sooner", async () => {
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
  world.clock.advance(59_000);
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

/** An app's echo request; the fake flow notes the octets of `text` behind type, code and sequence number. */
function request(
  text: string,
  { id = 7, sequence = 1, to = service } = {},
): Uint8Array {
  const isV6 = to.includes(":");
  const data = new TextEncoder().encode(text);
  return packetOf({
    from: isV6 ? "fd74::1" : laptop,
    to,
    protocol: isV6 ? 58 : 1,
    transport: [isV6 ? 128 : 8, 0, 0, 0, 0, id, 0, sequence, ...data],
    ...isV6 ? { checksumAt: 2 } : {},
  });
}

for (const [to, type] of [[service, 0], ["fd00::9", 129]] as const) {
  Deno.test(`a reply from ${to} has identifier, sequence number and data of its request`, async () => {
    await using world = new World(undefined, { shape: echoShape });
    for (const sequence of [1, 2]) {
      world.packet(request("data", { to, sequence }));
    }
    world.packet(request("other", { to, id: 8 }));
    await turn();
    assert.equal(world.dialled.length, 2);
    const [flow] = world.dialled;
    assert.equal(String(flow!.to.ip), to);
    assert.deepEqual(flow!.sent, ["\b\0\0\u0001data", "\b\0\0\u0002data"]);
    const data = new Uint8Array(65_000).fill(0x61);
    flow!.answer(Uint8Array.of(0, 0, 0, 2, ...data));
    await turn();
    const reply = viewOf(world.written[0]!);
    assert.equal(String(reply.sourceIp), to);
    const message = world.written[0]!.subarray(reply.payload);
    assert.deepEqual([...message.subarray(0, 2)], [type, 0]);
    assert.deepEqual([...message.subarray(4, 8)], [0, 7, 0, 2]);
    assert.deepEqual(message.subarray(8), data);
    if (type === 129) assert.ok(addsUp(world.written[0]!, 2));
    else assert.equal(sumOf(message, { start: 0, end: message.length }), 65535);
  });
}

Deno.test("what is no reply is not told to an app that asks", async () => {
  await using world = new World(undefined, { shape: echoShape });
  world.packet(request("data"));
  await turn();
  const [flow] = world.dialled;
  for (const bytes of [[], [0, 0, 0], [3, 0, 0, 1], [8, 0, 0, 1]]) {
    flow!.answer(Uint8Array.from(bytes));
  }
  await turn();
  assert.deepEqual(world.written, []);
  assert.equal(world.counters.read().echo_to_apps, 0);
});

const echoRefusals: [Refusal, type: number | undefined, code?: number][] = [
  ["forbidden", 3, 13],
  ["unreachable", 3, 1],
  ["gone", 3, 0],
  ["unknown-target", undefined],
  ["overloaded", undefined],
];

for (const [refusal, type, code] of echoRefusals) {
  Deno.test(`echo refused as "${refusal}" is answered by ${type ?? "silence"}`, async () => {
    const refuse = () => Promise.reject(new RefusedError(refusal, "a test"));
    await using world = new World(refuse, { shape: echoShape });
    world.packet(request("data"));
    await turn();
    const told = world.written.map((one) => [one[20], one[21]]);
    assert.deepEqual(told, type === undefined ? [] : [[type, code]]);
    const { echo_refused, echo_unsupported } = world.counters.read();
    assert.equal(echo_refused, 1);
    assert.equal(echo_unsupported, refusal === "unknown-target" ? 1 : 0);
  });
}

Deno.test("echo requests that come too fast are dropped and counted", async () => {
  const clock = new FakeClock();
  const rate = new Rate({ clock, perSecond: 1, burst: 3 });
  await using world = new World(undefined, { shape: echoShape, rate });
  for (let sequence = 1; sequence <= 10; sequence++) {
    world.packet(request("data", { sequence }));
  }
  await turn();
  assert.equal(world.dialled[0]!.sent.length, 3);
  assert.equal(world.counters.read().echo_dropped, 7);
});

Deno.test("an echo request in fragments is one request, other ICMP in fragments is none", async () => {
  await using world = new World(undefined, { shape: echoShape });
  for (const type of [8, 0, 3]) {
    const whole = request("0123456789abcdef01234567", { sequence: type });
    whole[20] = type;
    for (const [offset, more] of [[0, 0x20], [16, 0]] as const) {
      const end = more ? 20 + 16 : whole.length;
      const bytes = Uint8Array.of(
        ...whole.subarray(0, 20),
        ...whole.subarray(20 + offset, end),
      );
      bytes[3] = bytes.length;
      bytes[5] = type;
      bytes[6] = more;
      bytes[7] = offset / 8;
      world.packet(bytes);
    }
  }
  await turn();
  assert.equal(world.dialled.length, 1);
  assert.deepEqual(world.dialled[0]!.sent, [
    "\b\0\0\b0123456789abcdef01234567",
  ]);
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
  world.clock.advance(60_000);
  world.flows.sweep();
  assert.equal(world.flows.current, 0);
  assert.ok(world.dialled.every((one) => one.isClosed));
});

Deno.test("the packets that the tests make are right themselves", () => {
  assert.ok(addsUp(datagram("hello"), 6));
  assert.ok(Ip.parse(service).equals(viewOf(datagram("hello")).destinationIp));
});

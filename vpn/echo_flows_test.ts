/** Flows of ICMP echo. */
import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { Rate, type Refusal, RefusedError, sumOf } from "../net/mod.ts";
import { addsUp, packetOf, viewOf } from "../net/packet/packet_fake.ts";
import { laptop, service, turn, World } from "./datagram_flows_fake.ts";
import { echoShape } from "./datagram_shape.ts";

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

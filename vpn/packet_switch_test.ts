import assert from "node:assert/strict";
import fc from "fast-check";
import { readUint16, tcpFlags } from "../net/mod.ts";
import { addsUp, viewOf } from "../net/packet/packet_fake.ts";
import { flowStates } from "./nat_table.ts";
import { recordKinds } from "./packet_ring.ts";
import {
  answer,
  FakeSwitch,
  icmp,
  lastHop,
  listenerPort,
  names,
  tcp,
  udp,
} from "./switch_fake.ts";

const { fin, syn, rst, ack } = tcpFlags;
const families = [4, 6] as const;
const requestTypes = { 4: 8, 6: 128 } as const;

/** `198.18.0.2:40000 > 198.18.0.1:5555` */
function endsOf(packet: Uint8Array): string {
  const view = viewOf(packet);
  const port = (at: number) => readUint16(packet, view.payload + at);
  return `${view.sourceIp}:${port(0)} > ${view.destinationIp}:${port(2)}`;
}

for (const family of families) {
  const { laptop, peer, service } = names[family];

  Deno.test(`IPv${family}: the first SYN is held and goes to the main thread as it is`, () => {
    const fake = new FakeSwitch();
    const packet = tcp(family, { flags: syn });
    assert.equal(fake.handle(packet), undefined);
    const record = fake.ring.read()!;
    assert.equal(record.kind, recordKinds.syn);
    assert.equal(record.slot, 40_000);
    assert.deepEqual(record.bytes.slice(10), packet);
    assert.equal(fake.tables[family].state(record.slot), flowStates.held);
  });

  Deno.test(`IPv${family}: a SYN that is repeated while it is held is absorbed`, () => {
    const fake = new FakeSwitch();
    fake.handle(tcp(family, { flags: syn }));
    fake.ring.release(fake.ring.read()!);
    assert.equal(fake.handle(tcp(family, { flags: syn })), undefined);
    assert.equal(fake.ring.read(), undefined);
    assert.deepEqual(fake.counted, {});
  });

  Deno.test(`IPv${family}: packets of an open flow go to our listener and back`, () => {
    const fake = new FakeSwitch();
    const slot = fake.open(family);
    const there = fake.handle(tcp(family, { flags: ack, data: [1, 2, 3] }))!;
    assert.equal(
      endsOf(there),
      `${peer}:${slot} > ${laptop}:${listenerPort}`,
    );
    assert.ok(addsUp(there, 16));
    const back = fake.handle(answer(family, slot, { flags: ack }))!;
    assert.equal(endsOf(back), `${service}:80 > ${laptop}:40000`);
    assert.ok(addsUp(back, 16));
    assert.deepEqual(fake.counted, {
      packets_from_apps: 1,
      packets_to_apps: 1,
    });
  });

  Deno.test(`IPv${family}: a reset of the app ends its flow, also while it is held`, () => {
    const fake = new FakeSwitch();
    const slot = fake.open(family);
    assert.ok(fake.handle(tcp(family, { flags: rst })));
    assert.equal(fake.tables[family].state(slot), flowStates.ended);
    const held = { sourcePort: 50_000 };
    fake.handle(tcp(family, { flags: syn, ...held }));
    assert.equal(fake.handle(tcp(family, { flags: rst, ...held })), undefined);
    assert.equal(fake.tables[family].state(50_000), flowStates.ended);
  });

  Deno.test(`IPv${family}: a flow ends with the FINs of both directions, whose packets still pass`, () => {
    const fake = new FakeSwitch();
    const slot = fake.open(family);
    assert.ok(fake.handle(tcp(family, { flags: fin | ack })));
    assert.equal(fake.tables[family].state(slot), flowStates.open);
    assert.ok(fake.handle(answer(family, slot, { flags: fin | ack })));
    assert.equal(fake.tables[family].state(slot), flowStates.ended);
    assert.ok(fake.handle(tcp(family, { flags: ack })));
  });

  Deno.test(`IPv${family}: a segment of no known flow is answered with a reset`, () => {
    const fake = new FakeSwitch();
    const reset = fake.handle(tcp(family, { flags: ack, data: [1] }))!;
    assert.equal(endsOf(reset), `${service}:80 > ${laptop}:40000`);
    assert.equal(reset[viewOf(reset).payload + 13], rst);
    assert.equal(fake.handle(tcp(family, { flags: rst })), undefined);
    assert.deepEqual(fake.counted, { dropped_unknown_flow: 2 });
  });

  Deno.test(`IPv${family}: rewritten checksums add up for any ends and any data, there and back`, () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    const flow = fc.record({
      sourcePort: port,
      destinationPort: port,
      data: fc.array(fc.integer({ min: 0, max: 255 })),
      last: fc.integer({ min: 1, max: 0xfffe }),
    });
    fc.assert(fc.property(flow, ({ last, ...segment }) => {
      const fake = new FakeSwitch();
      const to = family === 4
        ? `10.96.${last >> 8}.${last & 255}`
        : `fd00:96::${last.toString(16)}`;
      fake.handle(tcp(family, { flags: syn, ...segment, to }));
      const { slot, generation } = fake.ring.read()!;
      assert.ok(fake.tables[family].open(slot, generation));
      const packet = tcp(family, { flags: ack, ...segment, to });
      const there = fake.handle(packet)!;
      assert.ok(addsUp(there, 16));
      const back = fake.handle(
        answer(family, slot, { flags: ack, data: segment.data }),
      )!;
      assert.ok(addsUp(back, 16));
      assert.equal(
        endsOf(back),
        endsOf(packet).split(" > ").reverse().join(" > "),
      );
    }));
  });

  Deno.test(`IPv${family}: a checksum that is only begun is right once the kernel ends it`, () => {
    const data = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 });
    fc.assert(fc.property(data, (data) => {
      const fake = new FakeSwitch();
      fake.open(family);
      const packet = tcp(family, { flags: ack, data });
      beginChecksum(packet);
      const there = fake.handle(packet, { vnet: [1] })!;
      endChecksum(there);
      assert.ok(addsUp(there, 16));
    }));
  });
}

/** Leaves the checksum as the kernel does for segmentation offload: the sum of the pseudo-header. */
function beginChecksum(packet: Uint8Array): void {
  const { payload } = viewOf(packet);
  // The whole sum less that of the segment's own octets.
  const whole = ~readUint16(packet, payload + 16) & 0xffff;
  setWord(packet, payload + 16, 0);
  const rest = plainSum(packet.subarray(payload));
  setWord(packet, payload + 16, (whole + 0xffff - rest) % 0xffff);
}

function endChecksum(packet: Uint8Array): void {
  const { payload } = viewOf(packet);
  const sum = plainSum(packet.subarray(payload));
  setWord(packet, payload + 16, ~sum & 0xffff);
}

function plainSum(bytes: Uint8Array): number {
  const sum = bytes.reduce(
    (sum, octet, i) => sum + (i % 2 ? octet : octet * 256),
    0,
  );
  return sum % 0xffff;
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}

Deno.test("PacketSwitch hands datagrams and their fragments to the main thread", () => {
  const fake = new FakeSwitch();
  const packet = udp(names[4].service);
  const fragment = packet.slice();
  fragment[6] = 0x20; // more fragments
  for (const one of [packet, fragment]) {
    assert.equal(fake.handle(one), undefined);
    const record = fake.ring.read()!;
    assert.equal(record.kind, recordKinds.datagram);
    assert.deepEqual(record.bytes.slice(10), one);
    fake.ring.release(record);
  }
});

for (const family of families) {
  const { laptop, peer, service } = names[family];
  const request = () => icmp(family, requestTypes[family]);

  Deno.test(`IPv${family}: PacketSwitch hands echo requests to the main thread`, () => {
    const fake = new FakeSwitch();
    const packet = request();
    assert.equal(fake.handle(packet), undefined);
    const record = fake.ring.read()!;
    assert.equal(record.kind, recordKinds.echo);
    assert.deepEqual(record.bytes.slice(10), packet);
    assert.deepEqual(fake.counted, {});
  });

  const expiring = {
    "a SYN": tcp(family, { flags: syn }),
    "a datagram": udp(service, laptop),
    "an echo request": request(),
  };
  for (const [what, packet] of Object.entries(expiring)) {
    Deno.test(`IPv${family}: ${what} without a hop left is answered by the peer, and goes nowhere`, () => {
      const fake = new FakeSwitch();
      const sent = lastHop(packet);
      const told = fake.handle(sent)!;
      const { sourceIp, destinationIp, payload } = viewOf(told);
      assert.equal(String(sourceIp), peer);
      assert.equal(String(destinationIp), laptop);
      const type = family === 4 ? 11 : 3; // time exceeded
      assert.deepEqual([...told.subarray(payload, payload + 2)], [type, 0]);
      assert.deepEqual(told.subarray(payload + 8), sent);
      assert.equal(fake.ring.read(), undefined);
      assert.deepEqual(fake.counted, { expired: 1 });
    });
  }
}

Deno.test("a fragment without a hop left that is not the first is dropped", () => {
  const fake = new FakeSwitch();
  const packet = lastHop(udp(names[4].service));
  packet[7] = 1; // offset 8
  assert.equal(fake.handle(packet), undefined);
  assert.deepEqual(fake.counted, { dropped_unsupported: 1 });
});

Deno.test("a SYN that finds no room on the way to the main thread is as if it had not come", () => {
  const fake = new FakeSwitch({ ringBytes: 256 });
  for (let i = 0; i < 5; i++) {
    fake.handle(tcp(4, { flags: syn, sourcePort: 1000 + i }));
  }
  assert.deepEqual(fake.counted, { dropped_queue_full: 2 });
  assert.equal(fake.tables[4].state(1000), flowStates.held);
  assert.equal(fake.tables[4].state(1004), flowStates.free);
});

Deno.test("PacketSwitch takes any octets without throwing and gives no more back than fits", () => {
  const fake = new FakeSwitch({ ringBytes: 1 << 12 });
  fake.open(4);
  fake.open(6);
  const seeds = families.flatMap((family) => [
    tcp(family, { flags: syn }),
    tcp(family, { flags: ack, data: [1, 2, 3] }),
    answer(family, 40_000, { flags: ack }),
  ]).concat([
    udp(names[4].service),
    ...families.map((family) => icmp(family, requestTypes[family])),
    lastHop(udp(names[4].service)),
  ]);
  const mutated = fc.tuple(
    fc.constantFrom(...seeds),
    fc.array(fc.tuple(fc.nat(70), fc.integer({ min: 0, max: 255 }))),
    fc.nat(80),
  ).map(([seed, changes, length]) => {
    const bytes = seed.slice(0, Math.max(1, length));
    for (const [at, octet] of changes) {
      if (at < bytes.length) bytes[at] = octet;
    }
    return bytes;
  });
  const octets = fc.oneof(mutated, fc.uint8Array({ maxLength: 200 }));
  fc.assert(
    fc.property(octets, (packet) => {
      const back = fake.handle(packet);
      assert.ok(back === undefined || back.length <= 1500);
      const record = fake.ring.read();
      if (record) fake.ring.release(record);
    }),
    { numRuns: 5_000 },
  );
});

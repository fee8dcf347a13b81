import assert from "node:assert/strict";
import {
  addsUp,
  type FakePacket,
  packetOf,
} from "../net/packet/packet_fake.ts";
import { Ip, protocols, udpChecksumAt } from "../net/mod.ts";
import { fromUtun, toUtun, utunStart } from "./_utun_frame.ts";
import {
  clearVnet,
  frameBufferBytes,
  frameStart,
  packetStart,
} from "./frame.ts";
import { UdpAnswer } from "./udp_answer.ts";

const v4: FakePacket = {
  from: "198.18.0.1",
  to: "10.96.0.10",
  protocol: protocols.udp,
  transport: [0x80, 0, 0, 53, 0, 11, 0, 0, 1, 2, 3],
  checksumAt: udpChecksumAt,
};
const v6: FakePacket = { ...v4, from: "fd74::1", to: "fd00:96::a" };

for (const [name, fake, family] of [["4", v4, 2], ["6", v6, 30]] as const) {
  Deno.test(`a frame of utun with IPv${name} is one of ours and back`, () => {
    const packet = packetOf(fake);
    const buffer = new Uint8Array(frameBufferBytes).fill(0xff);
    const frame = buffer.subarray(frameStart);
    // As read(2) leaves it: the family in network order, then the packet.
    const told = Uint8Array.of(0, 0, 0, family, ...packet);
    frame.set(told, utunStart);
    const length = fromUtun(frame, told.length);
    assert.equal(length, packetStart - frameStart + packet.length);
    assert.ok(
      frame.subarray(0, packetStart - frameStart).every((n) => n === 0),
    );
    assert.deepEqual(buffer.slice(packetStart, frameStart + length), packet);
    toUtun(frame, length);
    assert.deepEqual(frame.slice(utunStart, length), told);
  });

  Deno.test(`toUtun() finishes the checksum of an answer by IPv${name}`, () => {
    const [from, to] = [Ip.parse(fake.to), Ip.parse(fake.from)];
    const answer = new UdpAnswer({
      from: { ip: from, port: 53 },
      to: { ip: to, port: 32768 },
    });
    // The buffer is used again: what the first frame left must not count.
    for (const payload of [[7, 8, 9], [7, 8]]) {
      const [frame, length] = answer.frame(Uint8Array.from(payload));
      toUtun(frame, length);
      const packet = frame.slice(packetStart - frameStart, length);
      assert.ok(addsUp(packet, udpChecksumAt));
      const told = [...frame.subarray(utunStart, utunStart + 4)];
      assert.deepEqual(told, [0, 0, 0, family]);
    }
  });
}

Deno.test("fromUtun() has no frame when nothing was read", () => {
  const frame = new Uint8Array(100);
  assert.ok(fromUtun(frame, -1) < 0);
  assert.ok(fromUtun(frame, 4) < 0);
});

Deno.test("toUtun() leaves a checksum alone that is whole", () => {
  const packet = packetOf(v4);
  const buffer = new Uint8Array(packetStart + packet.length);
  clearVnet(buffer);
  buffer.set(packet, packetStart);
  toUtun(buffer.subarray(frameStart), buffer.length - frameStart);
  assert.deepEqual(buffer.slice(packetStart), packet);
});

Deno.test("a UDP checksum that comes out as zero is sent as all ones", () => {
  // What is left of the payload makes the sum 0xffff.
  const base = packetOf({
    ...v4,
    transport: [...v4.transport.slice(0, 8), 0, 0],
  });
  const at = 20 + udpChecksumAt;
  const rest = base[at]! << 8 | base[at + 1]!;
  const buffer = new Uint8Array(packetStart + base.length);
  buffer.set(base, packetStart);
  buffer.set([rest >> 8, rest & 255], packetStart + base.length - 2);
  const header = [...base.subarray(12, 20), 0, protocols.udp, 0, 10];
  let pseudo = 0;
  for (let i = 0; i < header.length; i += 2) {
    pseudo += header[i]! << 8 | header[i + 1]!;
  }
  pseudo = (pseudo & 0xffff) + (pseudo >> 16);
  buffer.set([pseudo >> 8, pseudo & 255], packetStart + at);
  buffer.set([1, 0, 0, 0, 0, 0, 20, 0, udpChecksumAt, 0], frameStart);
  toUtun(buffer.subarray(frameStart), buffer.length - frameStart);
  assert.deepEqual(
    [...buffer.subarray(packetStart + at, packetStart + at + 2)],
    [
      0xff,
      0xff,
    ],
  );
});

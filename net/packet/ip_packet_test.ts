import assert from "node:assert/strict";
import fc from "fast-check";
import { IpPacket, protocols } from "./ip_packet.ts";

const udpV4 = Uint8Array.of(
  ...[0x45, 0, 0, 30, 0x12, 0x34, 0x20, 0x02], // version, length 30, id, more fragments at 16
  ...[64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], // TTL, UDP, checksum, addresses
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
);

const fragmentV6 = Uint8Array.of(
  ...[0x60, 0, 0, 0, 0, 10, 44, 64], // version, payload length 10, fragment header, hop limit
  ...[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ...[17, 0, 0x00, 0x11, 0xaa, 0xbb, 0xcc, 0xdd], // UDP, offset 16 and more, identification
  ...[1, 2],
);

Deno.test("IpPacket.parse() reads an IPv4 header and its fragment fields", () => {
  const packet = new IpPacket();
  assert.ok(packet.parse(udpV4, 0, udpV4.length));
  assert.equal(packet.protocol, protocols.udp);
  assert.equal(String(packet.sourceIp), "10.0.0.1");
  assert.equal(String(packet.destinationIp), "10.0.0.2");
  assert.equal(packet.payload, 20);
  assert.equal(packet.end, 30);
  assert.equal(packet.identification, 0x1234);
  assert.equal(packet.fragmentOffset, 16);
  assert.ok(packet.moreFragments && packet.isFragment);
});

Deno.test("IpPacket.parse() looks through the IPv6 fragment header", () => {
  const packet = new IpPacket();
  assert.ok(packet.parse(fragmentV6, 0, fragmentV6.length));
  assert.equal(packet.protocol, protocols.udp);
  assert.equal(String(packet.destinationIp), "fd00::2");
  assert.equal(packet.payload, 48);
  assert.equal(packet.fragmentOffset, 16);
  assert.equal(packet.identification, 0xaabbccdd);
});

Deno.test("IpPacket.parse() takes any octets without throwing and stays in their bounds", () => {
  const packet = new IpPacket();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    if (!packet.parse(bytes, 0, bytes.length)) return;
    assert.ok(packet.end <= bytes.length);
    assert.ok(packet.payload <= packet.end);
    assert.ok(
      packet.destination + (packet.family === 4 ? 4 : 16) <= packet.end,
    );
  }));
});

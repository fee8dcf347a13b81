import assert from "node:assert/strict";
import { Ip } from "../ip.ts";
import { type Undelivered, writeIcmpError } from "./icmp.ts";
import { addsUp, packetOf, viewOf } from "./packet_fake.ts";
import { protocols } from "./ip_packet.ts";

function write(
  packet: Uint8Array,
  { from, reason }: { from: string; reason: Undelivered },
): Uint8Array {
  const into = new Uint8Array(1400).fill(0xee);
  const view = viewOf(packet);
  const octets = writeIcmpError(into, 0, {
    packet: view,
    from: Ip.parse(from).bytes,
    reason,
  });
  return into.slice(0, octets);
}

function datagram(from: string, to: string, data: number): Uint8Array {
  return packetOf({
    from,
    to,
    protocol: protocols.udp,
    transport: new Array(8 + data).fill(7),
  });
}

Deno.test("writeIcmpError() quotes an IPv4 packet", () => {
  const packet = datagram("10.0.0.1", "10.0.0.2", 4);
  const message = write(packet, { from: "10.0.0.9", reason: "port" });
  const quote = viewOf(message).payload + 8;
  assert.equal(String(viewOf(message).sourceIp), "10.0.0.9");
  assert.equal(String(viewOf(message).destinationIp), "10.0.0.1");
  assert.equal(viewOf(message).protocol, 1);
  assert.deepEqual([...message.subarray(20, 22)], [3, 3]); // unreachable, port
  assert.deepEqual(message.subarray(quote), packet);
});

Deno.test("writeIcmpError() makes checksums that add up", () => {
  for (const data of [0, 1, 600, 1300]) {
    const v4 = write(datagram("10.0.0.1", "10.0.0.2", data), {
      from: "10.0.0.9",
      reason: "host",
    });
    // ICMP for IPv4 covers no pseudo-header, so its octets add up by themselves.
    let sum = 0;
    v4.subarray(20).forEach((octet, i) => sum += i % 2 ? octet : octet << 8);
    assert.equal(sum % 0xffff, 0);
    assert.ok(v4.length <= 576);
    const v6 = write(datagram("fd00::1", "fd00::2", data), {
      from: "fd00::9",
      reason: "host",
    });
    assert.ok(addsUp(v6, 2));
    assert.ok(v6.length <= 1280);
  }
});

const codes: [Undelivered, v4: number[], v6: number[]][] = [
  ["network", [3, 0], [1, 0]], // no route to destination
  ["host", [3, 1], [1, 3]], // address unreachable
  ["port", [3, 3], [1, 4]],
  ["prohibited", [3, 13], [1, 1]], // communication administratively prohibited
  ["expired", [11, 0], [3, 0]], // time to live, hop limit exceeded in transit
];

for (const [reason, v4, v6] of codes) {
  Deno.test(`writeIcmpError() tells "${reason}" by its type and code`, () => {
    const of4 = write(datagram("10.0.0.1", "10.0.0.2", 0), {
      from: "10.0.0.9",
      reason,
    });
    assert.deepEqual([...of4.subarray(20, 22)], v4);
    const of6 = write(datagram("fd00::1", "fd00::2", 0), {
      from: "fd00::9",
      reason,
    });
    assert.deepEqual([...of6.subarray(40, 42)], v6);
  });
}

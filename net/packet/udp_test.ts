import assert from "node:assert/strict";
import { protocols } from "./ip_packet.ts";
import { packetOf, viewOf } from "./packet_fake.ts";
import { udpPayloadBytes } from "./udp.ts";

const cases: [sentence: string, octets: number, length: number, is: number][] =
  [
    ["a whole datagram", 12, 12, 4],
    ["an empty datagram", 8, 8, 0],
    ["a datagram shorter than its packet", 12, 10, 2],
    ["a length of zero as the rest", 12, 0, 4],
    ["a datagram longer than its packet", 12, 13, -1],
    ["a length below that of the header", 12, 7, -1],
    ["half a header", 7, 7, -1],
  ];

for (const [sentence, octets, length, is] of cases) {
  Deno.test(`udpPayloadBytes() of ${sentence}`, () => {
    const transport = [0, 1, 0, 2, 0, length, ...new Array(10).fill(0)];
    const packet = packetOf({
      from: "10.0.0.1",
      to: "10.0.0.2",
      protocol: protocols.udp,
      transport: transport.slice(0, octets),
    });
    assert.equal(udpPayloadBytes(viewOf(packet)), is);
  });
}

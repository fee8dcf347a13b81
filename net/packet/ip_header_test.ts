import assert from "node:assert/strict";
import fc from "fast-check";
import { Ip } from "../ip.ts";
import { sumOf, writeUint16 } from "./checksum.ts";
import { ipHeaderBytes, pseudoHeaderSum, writeIpHeader } from "./ip_header.ts";
import { addsUp, packetOf } from "./packet_fake.ts";

for (
  const [from, to] of [["10.1.2.3", "10.4.5.6"], [
    "fd00::1",
    "fd00::2",
  ]] as const
) {
  Deno.test(`writeIpHeader() and pseudoHeaderSum() from ${from} agree with the reference`, () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 8 }), (body) => {
      const header = {
        source: Ip.parse(from).bytes,
        destination: Ip.parse(to).bytes,
        protocol: 17,
        payloadBytes: body.length,
        identification: 1,
      };
      const start = ipHeaderBytes(header.source.length === 4 ? 4 : 6);
      const bytes = new Uint8Array(start + body.length).fill(0xee);
      writeIpHeader(bytes, 0, header);
      bytes.set(body, start);
      writeUint16(bytes, start + 6, 0);
      const initial = pseudoHeaderSum(header);
      const sum = sumOf(bytes, { start, end: bytes.length, initial });
      writeUint16(bytes, start + 6, ~sum & 0xffff);
      assert.ok(addsUp(bytes, 6));
      const reference = packetOf({
        from,
        to,
        protocol: 17,
        transport: [...body],
        checksumAt: 6,
      });
      assert.deepEqual(bytes.subarray(0, start), reference.subarray(0, start));
    }));
  });
}

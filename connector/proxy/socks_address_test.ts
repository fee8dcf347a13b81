import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeSocksAddress, encodeSocksAddress } from "./socks_address.ts";

const table: [octets: number[], host: string, port: number][] = [
  // kind, address, port
  [[1, 10, 96, 0, 7, 0x1f, 0x90], "10.96.0.7", 8080],
  [[4, 0xfd, ...Array(14).fill(0), 7, 0, 80], "fd00::7", 80],
  // kind, length, name, port
  [[3, 3, 0x77, 0x65, 0x62, 1, 0xbb], "web", 443],
];

for (const [octets, host, port] of table) {
  Deno.test(`decodeSocksAddress() reads ${host} port ${port}`, () => {
    const bytes = new Uint8Array([9, ...octets, 8]);
    assert.deepEqual(decodeSocksAddress(bytes, 1), {
      ...{ host, port, end: octets.length + 1 },
    });
    for (let length = 0; length <= octets.length; length++) {
      const cut = bytes.subarray(0, length);
      assert.equal(decodeSocksAddress(cut, 1), undefined);
    }
    if (octets[0] === 3) return;
    assert.deepEqual([...encodeSocksAddress({ host, port })], octets);
  });
}

Deno.test("decodeSocksAddress() reads nothing beyond what is there", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const read = decodeSocksAddress(bytes, 0);
    assert.ok(read === undefined || read.end <= bytes.length);
  }));
});

import assert from "node:assert/strict";
import {
  descriptorIn,
  descriptorMessage,
  messageHeader,
  unixAddress,
} from "./_socket_layout_darwin.ts";

/** Octets in hexadecimal, little-endian numbers. */
const golden: [string, Uint8Array, string][] = [
  ["an address", unixAddress("/a"), "05 01 2f6100"], // length, AF_UNIX, path
  [
    "a descriptor",
    descriptorMessage(7),
    "10000000 ffff0000 01000000 07000000", // length, SOL_SOCKET, SCM_RIGHTS
  ],
  [
    "a header",
    messageHeader({
      vector: 0x1122n,
      control: { address: 0x3344n, length: 16 },
    }),
    "0000000000000000 00000000 00000000" + // no address, its length
    "2211000000000000 01000000 00000000" + // one vector
    "4433000000000000 10000000 00000000", // control, flags
  ],
];

for (const [what, bytes, hex] of golden) {
  Deno.test(`${what} is as macOS expects it`, () => {
    assert.equal(bytes.toHex(), hex.replaceAll(" ", ""));
  });
}

Deno.test("descriptorIn() reads what descriptorMessage() writes, and else nothing", () => {
  assert.equal(descriptorIn(descriptorMessage(7)), 7);
  assert.equal(descriptorIn(new Uint8Array(16)), undefined);
});

Deno.test("unixAddress() takes no path that has no room", () => {
  assert.equal(unixAddress("/".repeat(103)).length, 106);
  assert.throws(() => unixAddress("/".repeat(104)), RangeError);
});

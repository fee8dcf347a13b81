import assert from "node:assert/strict";
import { errnos, errorName } from "./errnos.ts";
import { Libc } from "./libc.ts";
import { addressOf, cString, textOf } from "./memory.ts";

const calls = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

Deno.test("Libc tells why the call before failed", () => {
  using libc = new Libc(calls);
  assert.equal(libc.call.open(cString("/nowhere/at/all"), 0), -1);
  assert.equal(libc.errno, errnos.ENOENT);
  assert.equal(errorName(libc.errno), "ENOENT");
  assert.equal(libc.call.close(-1), -1);
  assert.equal(errorName(libc.errno), undefined); // EBADF
});

Deno.test("textOf() reads what cString() writes, up to its end", () => {
  assert.deepEqual(cString("tp0"), new Uint8Array([0x74, 0x70, 0x30, 0]));
  const room = new Uint8Array(16);
  room.set(cString("utun7"));
  room.set(cString("x"), 9);
  assert.equal(textOf(room), "utun7");
});

Deno.test("addressOf() is where the octets of a view begin", () => {
  const bytes = new Uint8Array(16);
  assert.equal(addressOf(bytes.subarray(5)), addressOf(bytes) + 5n);
});

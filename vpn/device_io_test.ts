import assert from "node:assert/strict";
import { Libc } from "../libc/mod.ts";
import { openDeviceIo } from "./os.ts";

const calls = {
  pipe: { parameters: ["buffer"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

Deno.test("DeviceIo.wait() tells what came, that somebody woke it, that the device has gone", () => {
  using libc = new Libc(calls);
  const ends = new Int32Array(2);
  assert.equal(libc.call.pipe(new Uint8Array(ends.buffer)), 0);
  const [from, to] = [ends[0]!, ends[1]!];
  using io = openDeviceIo(from);
  using other = openDeviceIo(from, io.wakeFd);
  const buffer = new Uint8Array(16);
  assert.ok(io.read(buffer) < 0);
  libc.call.write(to, new Uint8Array([1, 2, 3]), 3n);
  assert.equal(io.wait(), "readable");
  assert.equal(io.read(buffer), 3);
  assert.deepEqual(buffer.subarray(0, 4), new Uint8Array([1, 2, 3, 0]));
  assert.ok(io.read(buffer) < 0);
  libc.call.close(to);
  assert.equal(io.wait(), "gone");
  other.wake();
  assert.equal(io.wait(), "woken");
  assert.equal(io.wait(), "woken");
  assert.equal(other.wait(), "woken");
  io.closeDescriptors();
});

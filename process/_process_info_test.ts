import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeArguments, decodeProcesses } from "./_process_info.ts";

/** A struct kinfo_proc with the fields that count. */
function info(
  { pid, parent, group, state }: {
    pid: number;
    parent: number;
    group: number;
    state: number;
  },
): Uint8Array {
  const bytes = new Uint8Array(648).fill(0xee);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, 1_795_945_227n, true);
  view.setInt32(8, 4_711, true);
  bytes[36] = state;
  view.setInt32(40, pid, true);
  view.setInt32(560, parent, true);
  view.setInt32(564, group, true);
  return bytes;
}

Deno.test("decodeProcesses() reads each, and leaves out those that have ended", () => {
  const bytes = Uint8Array.from([
    ...info({ pid: 47, parent: 1, group: 47, state: 2 }),
    ...info({ pid: 48, parent: 47, group: 47, state: 5 }),
    ...info({ pid: 49, parent: 47, group: 49, state: 4 }),
    ...[1, 2, 3],
  ]);
  const start = "1795945227.004711";
  assert.deepEqual(decodeProcesses(bytes), [
    { pid: 47, start, parent: 1, group: 47, stopped: false },
    { pid: 49, start, parent: 47, group: 49, stopped: true },
  ]);
  assert.deepEqual(decodeProcesses(new Uint8Array()), []);
});

Deno.test("decodeArguments() tells the command line from the environment", () => {
  const text = "/usr/local/bin/tp\0\0\0\0\0\0tp\0connector-foreground\0\0" +
    "HOME=/Users/anna\0PATH=/usr/bin\0\0executable_path=/usr/local/bin/tp\0";
  const bytes = Uint8Array.of(
    ...[3, 0, 0, 0],
    ...new TextEncoder().encode(text),
  );
  assert.deepEqual(decodeArguments(bytes), {
    arguments: ["tp", "connector-foreground", ""],
    environment: ["HOME=/Users/anna", "PATH=/usr/bin"],
  });
});

Deno.test("decodeArguments() takes any octets", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    decodeArguments(bytes);
  }));
  assert.deepEqual(decodeArguments(new Uint8Array()), {
    arguments: [],
    environment: [],
  });
});

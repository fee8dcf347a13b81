import assert from "node:assert/strict";
import { unzipSync } from "fflate";
import { writePrivately, zipOf } from "./zip.ts";

Deno.test("zipOf() is a zip of the texts, readable by their owner alone", () => {
  const texts = new Map([["a.log", "one\n"], [
    "b.ä.log",
    "zwei\n".repeat(999),
  ]]);
  const bytes = zipOf(texts);
  const found = Object.entries(unzipSync(bytes)).map((
    [name, text],
  ): [string, string] => [name, new TextDecoder().decode(text)]);
  assert.deepEqual(new Map(found), texts);
  // The upper half of the external attributes in the central directory's entry (APPNOTE 4.4.15).
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entry = view.getUint32(bytes.length - 22 + 16, true);
  assert.equal(view.getUint32(entry, true), 0x02014b50);
  assert.equal(view.getUint32(entry + 38, true) >>> 16, 0o100600);
});

Deno.test("writePrivately() replaces what others could read", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/x.zip`;
    await Deno.writeTextFile(path, "old", { mode: 0o644 });
    await writePrivately(path, new Uint8Array([1, 2]));
    const { mode, size } = await Deno.stat(path);
    assert.equal(mode! & 0o777, 0o600);
    assert.equal(size, 2);
    const left = await Array.fromAsync(Deno.readDir(directory));
    assert.equal(left.length, 1);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

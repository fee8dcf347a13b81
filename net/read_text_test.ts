import assert from "node:assert/strict";
import { writeAll } from "./conn.ts";
import { connPair } from "./conn_pair.ts";
import { linesOf } from "./lines.ts";
import { readText } from "./read_text.ts";

/** A flow that brings these bytes one by one, then its end. */
function flowOf(text: string) {
  const [near, far] = connPair();
  const send = async () => {
    for (const byte of new TextEncoder().encode(text)) {
      await writeAll(far, new Uint8Array([byte]));
    }
    await far.closeWrite();
  };
  send().catch(() => {});
  return near;
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

Deno.test("readText() puts together what comes in pieces of a character", async () => {
  const text = "ä€😀\n";
  assert.equal(await readText(flowOf(text), { maxBytes: 10 }), text);
  await assert.rejects(readText(flowOf(text), { maxBytes: 9 }), RangeError);
});

Deno.test("linesOf() gives whole lines, and none that has no end", async () => {
  const lines = linesOf(flowOf("ä\n\nb€\nrest"), { maxLength: 4 });
  assert.deepEqual(await all(lines), ["ä", "", "b€"]);
  const long = linesOf(flowOf("a\nbcdef\n"), { maxLength: 4 });
  await assert.rejects(all(long), RangeError);
});

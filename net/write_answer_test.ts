import assert from "node:assert/strict";
import { connPair } from "./conn_pair.ts";
import { readText } from "./read_text.ts";
import { writeAnswer } from "./write_answer.ts";

Deno.test("writeAnswer() writes all, then the end", async () => {
  const [here, there] = connPair();
  const answered = writeAnswer(here, new TextEncoder().encode("all of it"));
  assert.equal(await readText(there, { maxBytes: 100 }), "all of it");
  await answered;
});

Deno.test("writeAnswer() resets a stream that breaks", async () => {
  const [here, there] = connPair();
  there.reset();
  await writeAnswer(here, Uint8Array.of(1));
  await assert.rejects(here.read(new Uint8Array(1)));
});

import assert from "node:assert/strict";
import { PipeBuffers } from "./pipe_buffers.ts";

const large = 64 * 1024 - 64;

/** What a direction holds after reads that fill its buffer, or bring so many octets. */
function after(buffers: PipeBuffers, ...reads: (number | "full")[]) {
  let buffer = buffers.take();
  for (const read of reads) {
    buffer = buffers.fit(buffer, read === "full" ? buffer.length : read);
  }
  return buffer;
}

Deno.test("PipeBuffers grows a buffer that is filled and shrinks one that stays nearly empty", () => {
  const buffers = new PipeBuffers();
  assert.equal(after(buffers, 100, 4095).length, 4096);
  assert.equal(after(buffers, "full").length, large);
  assert.equal(after(buffers, "full", "full", 2000).length, large);
  assert.equal(after(buffers, "full", "full", 1000).length, 4096);
  assert.equal(buffers.largeInUse, 2);
});

Deno.test("PipeBuffers takes large buffers back from who waits, once there are plenty", () => {
  const buffers = new PipeBuffers({ plenty: 2, most: 10 });
  const held = [after(buffers, "full", 30_000), after(buffers, "full", 30_000)];
  assert.deepEqual(held.map(({ length }) => length), [large, large]);
  assert.equal(after(buffers, "full", 30_000).length, 4096);
  assert.equal(after(buffers, "full", "full").length, large);
  assert.equal(buffers.largeInUse, 3);
});

Deno.test("PipeBuffers gives no more large buffers than it may", () => {
  const buffers = new PipeBuffers({ plenty: 1, most: 2 });
  const held = [after(buffers, "full"), after(buffers, "full")];
  assert.equal(after(buffers, "full").length, 4096);
  buffers.giveBack(held[0]!);
  assert.equal(after(buffers, "full"), held[0], "a spare one is used again");
});

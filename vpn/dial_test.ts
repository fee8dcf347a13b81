import assert from "node:assert/strict";
import { RefusedError } from "../net/mod.ts";
import { settleDial } from "./dial.ts";

Deno.test("settleDial() tells what was opened, or why not", async () => {
  const { signal } = new AbortController();
  const undo = () => assert.fail("nothing is to undo");
  const settle = (dial: () => Promise<string>) =>
    settleDial(dial, { signal, undo });
  assert.deepEqual(await settle(() => Promise.resolve("a")), { opened: "a" });
  const refused = new RefusedError("forbidden", "no");
  assert.deepEqual(await settle(() => Promise.reject(refused)), {
    refusal: "forbidden",
  });
  assert.deepEqual(
    await settle(() => {
      throw new TypeError("a bug");
    }),
    { refusal: "failed" },
  );
});

Deno.test("settleDial() does not wait for a dial that ignores its signal, and undoes it later", async () => {
  const abort = new AbortController();
  const dialled = Promise.withResolvers<string>();
  const undone = Promise.withResolvers<string>();
  const settled = settleDial(() => dialled.promise, {
    signal: abort.signal,
    undo: undone.resolve,
  });
  abort.abort();
  assert.deepEqual(await settled, { refusal: "gone" });
  dialled.resolve("late");
  assert.equal(await undone.promise, "late");
});

Deno.test("settleDial() does not dial when nobody waits", async () => {
  const result = await settleDial(() => assert.fail("dialled"), {
    signal: AbortSignal.abort(),
    undo: () => {},
  });
  assert.deepEqual(result, { refusal: "gone" });
});

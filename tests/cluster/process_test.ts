import assert from "node:assert/strict";
import { processStartTime } from "./process.ts";
import { waitFor } from "./wait.ts";

Deno.test("processStartTime() of a living process stays the same", () => {
  const startTime = processStartTime(Deno.pid);
  assert.match(startTime ?? "", /^\d+$/);
  assert.equal(processStartTime(Deno.pid), startTime);
});

Deno.test("processStartTime() is undefined for a process that has ended", async () => {
  const child = new Deno.Command("true").spawn();
  await child.status;
  assert.equal(processStartTime(child.pid), undefined);
});

Deno.test("waitFor() says what was still missing when its time is up", async () => {
  await assert.rejects(
    waitFor("answer", () => Promise.resolve("silence"), {
      timeoutMs: 20,
      everyMs: 5,
    }),
    /no answer after 0.02 s: silence/,
  );
});

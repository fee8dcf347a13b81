import assert from "node:assert/strict";
import { SleepWatch } from "./sleep_watch.ts";

Deno.test("SleepWatch tells once that much time went by between two questions", () => {
  let now = 1_000_000;
  const watch = new SleepWatch(() => now);
  const answers = [1_000, 1_400, 300_000, 1_000, -3_600_000, 1_000].map(
    (ms) => {
      now += ms;
      return watch.hasSlept();
    },
  );
  assert.deepEqual(answers, [false, false, true, false, false, false]);
});

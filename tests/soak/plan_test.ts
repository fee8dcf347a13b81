import assert from "node:assert/strict";
import { plans } from "./plan.ts";

Deno.test("plans() are the same for a seed, others for another, and hold every kind of fault", () => {
  const some = (seed: number) => plans(seed).take(200).toArray();
  assert.deepEqual(some(7), some(7));
  assert.notDeepEqual(some(7), some(8));
  assert.equal(new Set(some(7).map(({ kind }) => kind)).size, 7);
  for (const { calmMs, seconds } of some(7)) {
    assert.ok(calmMs >= 200 && calmMs <= 6_000 && seconds >= 2);
  }
});

import assert from "node:assert/strict";
import { ratios, spread } from "./ratio.ts";

Deno.test("spread() is the median with the extremes", () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.deepEqual(spread([4, 1]), { median: 2.5, min: 1, max: 4 });
  assert.deepEqual(spread([7]), { median: 7, min: 7, max: 7 });
  assert.equal(spread([]), undefined);
});

Deno.test("ratios() pairs the rounds and leaves out those that lack a value", () => {
  assert.deepEqual(ratios([2, 3, 8], [1, 2, 4]), [2, 1.5, 2]);
  assert.deepEqual(ratios([2, undefined, 8], [1, 2, undefined]), [2]);
  assert.deepEqual(ratios([2], [0]), []);
});

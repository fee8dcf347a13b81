import assert from "node:assert/strict";
import { slopeOf } from "./slope.ts";

Deno.test("slopeOf() finds the line that points lie on", () => {
  assert.deepEqual(slopeOf([[0, 5], [10, 25], [20, 45]]), {
    each: 2,
    base: 5,
    bend: 0,
  });
});

Deno.test("slopeOf() tells how far points are off their line", () => {
  const { each, bend } = slopeOf([[0, 0], [10, 100], [20, 400]]);
  assert.equal(each.toFixed(9), "20.000000000");
  assert.ok(bend > 0.15, `${bend}`);
  assert.throws(() => slopeOf([[1, 1], [1, 2]]), RangeError);
});

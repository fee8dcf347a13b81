import assert from "node:assert/strict";
import { Tally } from "./tally.ts";

Deno.test("Tally keeps a thing until it was removed as often as added", () => {
  const tally = new Tally<number[]>();
  const [one, same] = [tally.add([1]), tally.add([1])];
  const other = tally.add([2]);
  tally.remove(one);
  assert.deepEqual(tally.things, [[1], [2]]);
  tally.remove(same);
  tally.remove("[7]");
  assert.deepEqual(tally.things, [[2]]);
  tally.remove(other);
  assert.deepEqual(tally.things, []);
});

Deno.test("Tally tells a change when a thing comes or goes, not when it is told once more", () => {
  const tally = new Tally<string>();
  assert.ok(tally.takeChange(), "empty is news at first");
  assert.ok(!tally.takeChange());
  const text = tally.add("a");
  assert.ok(tally.takeChange());
  tally.add("a");
  tally.remove(text);
  assert.ok(!tally.takeChange());
  tally.remove(text);
  assert.ok(tally.takeChange());
});

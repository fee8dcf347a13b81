import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { Purses } from "./purses.ts";

Deno.test("Purses lets each key spend what it has, and has it come back with time", () => {
  const clock = new FakeClock();
  const purses = new Purses(clock, { size: 10, perSecond: 2 });
  assert.equal(purses.pay("a", 8), true);
  assert.equal(purses.pay("a", 3), false);
  assert.equal(purses.pay("a", 2), true);
  assert.equal(purses.pay("b", 10), true);
  clock.advance(1_500);
  assert.equal(purses.has("a", 4), false);
  assert.equal(purses.pay("a", 3), true);
  purses.spend("a", -5);
  assert.equal(purses.has("a", 5), true);
  clock.advance(60_000);
  assert.equal(purses.has("a", 11), false);
  assert.equal(purses.has("a", 10), true);
});

Deno.test("Purses forgets who was heard of longest ago, never who spends", () => {
  const purses = new Purses(new FakeClock(), { size: 2, perSecond: 1 });
  purses.spend("quiet", 2);
  purses.spend("busy", 1);
  for (let i = 0; i < 4095; i++) {
    if (i === 4000) purses.spend("busy", 1);
    purses.spend(`${i}`, 1);
  }
  assert.equal(purses.has("quiet", 2), true);
  assert.equal(purses.has("busy", 1), false);
});

import assert from "node:assert/strict";
import { FakeClock } from "./clock_fake.ts";
import { Rate } from "./rate.ts";

Deno.test("Rate.take() allows a burst, then so many each second, and saves up no more than the burst", () => {
  const clock = new FakeClock();
  const rate = new Rate({ clock, perSecond: 10, burst: 3 });
  const taken = () => {
    let count = 0;
    while (rate.take()) count++;
    return count;
  };
  assert.equal(taken(), 3);
  clock.advance(100);
  assert.equal(taken(), 1);
  clock.advance(60_000);
  assert.equal(taken(), 3);
});

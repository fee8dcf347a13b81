import assert from "node:assert/strict";
import { setLogSink } from "../log.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { RefusedError } from "../net/mod.ts";
import { Counters } from "./counters.ts";
import { Fallbacks, quietMs, reportMs } from "./fallbacks.ts";
import { rule } from "./manager_fake.ts";

Deno.test("Fallbacks counts each, logs one of an intercept in a minute and reports one in ten seconds", () => {
  const names: string[] = [];
  setLogSink((line) => names.push(JSON.parse(line).name));
  const clock = new FakeClock();
  const counters = new Counters({ clock });
  const reported: string[] = [];
  const fallbacks = new Fallbacks({
    ...{ counters, clock },
    report: ({ fallback, reason }) => reported.push(`${fallback}: ${reason}`),
  });
  const error = new RefusedError("refused", "nothing listens");
  for (let i = 0; i < 1000; i++) fallbacks.add(rule("a"), error);
  fallbacks.add(rule("b"), error);
  assert.deepEqual(names, ["a", "b"]);
  assert.equal(counters.numbers.fallbacks, 1001);
  assert.deepEqual(reported, ["a: nothing listens", "b: nothing listens"]);
  clock.advance(reportMs);
  fallbacks.add(rule("a"), error);
  assert.equal(reported.length, 3);
  assert.equal(names.length, 2);
  clock.advance(quietMs);
  names.length = 0;
  fallbacks.add(rule("a"), error);
  assert.deepEqual(names, ["a"]);
  counters[Symbol.dispose]();
});

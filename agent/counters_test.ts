import assert from "node:assert/strict";
import { setLogSink } from "../log.ts";
import { FakeClock } from "../net/clock_fake.ts";
import { Counters } from "./counters.ts";

Deno.test("Counters are logged once a minute, when they have grown", () => {
  const lines: string[] = [];
  setLogSink((line) => lines.push(line));
  const clock = new FakeClock();
  const counters = new Counters({ clock });
  clock.advance(600_000);
  assert.equal(lines.length, 0);
  counters.add("app");
  clock.advance(1);
  counters.add("app");
  counters.add("held");
  clock.advance(59_998);
  assert.equal(lines.length, 0);
  clock.advance(1);
  assert.equal(lines.length, 1);
  const { app, held, laptop } = JSON.parse(lines[0]!);
  assert.deepEqual({ app, held, laptop }, { app: 2, held: 1, laptop: 0 });
  clock.advance(600_000);
  assert.equal(lines.length, 1);
  counters.add("app");
  counters[Symbol.dispose]();
  assert.equal(lines.length, 2);
});

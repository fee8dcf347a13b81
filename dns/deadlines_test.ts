import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { Deadlines } from "./deadlines.ts";

function open() {
  const clock = new FakeClock();
  const deadlines = new Deadlines({ clock, ms: 100 });
  const passed: string[] = [];
  const begin = (name: string, agoMs?: number) =>
    deadlines.begin(() => passed.push(`${name} at ${clock.now()}`), agoMs);
  return { clock, deadlines, passed, begin };
}

Deno.test("Deadlines pass one after the other, each at its time, by one timer", () => {
  const { clock, passed, begin } = open();
  begin("a");
  clock.advance(30);
  begin("b");
  begin("c");
  assert.equal(clock.waiting, 1);
  clock.advance(99);
  assert.deepEqual(passed, ["a at 100"]);
  clock.advance(1);
  assert.deepEqual(passed, ["a at 100", "b at 130", "c at 130"]);
  assert.equal(clock.waiting, 0);
});

Deno.test("A deadline that is called off does not pass, and the last one takes the timer along", () => {
  const { clock, passed, begin } = open();
  const callOffA = begin("a");
  clock.advance(30);
  const callOffB = begin("b");
  callOffA();
  callOffA();
  clock.advance(90);
  assert.equal(clock.waiting, 1);
  callOffB();
  assert.equal(clock.waiting, 0);
  clock.advance(1000);
  assert.deepEqual(passed, []);
});

Deno.test("Deadlines may begin and be called off while others pass", () => {
  const { clock, deadlines, passed, begin } = open();
  deadlines.begin(() => {
    begin("c");
    callOffA();
  });
  const callOffA = begin("a");
  clock.advance(10);
  begin("b");
  clock.advance(90);
  assert.equal(clock.waiting, 1);
  clock.advance(10);
  assert.deepEqual(passed, ["b at 110"]);
  clock.advance(90);
  assert.deepEqual(passed, ["b at 110", "c at 200"]);
  assert.equal(clock.waiting, 0);
});

Deno.test("Deadlines of which a part has passed come before those that began earlier", () => {
  const { clock, passed, begin } = open();
  begin("a");
  clock.advance(10);
  begin("b");
  begin("c", 5);
  begin("d", 60);
  begin("e", 200);
  assert.equal(clock.waiting, 1);
  clock.advance(0);
  assert.deepEqual(passed, ["e at 10"]);
  clock.advance(200);
  assert.deepEqual(passed.slice(1), [
    ...["d at 50", "a at 100", "c at 105", "b at 110"],
  ]);
  assert.equal(clock.waiting, 0);
});

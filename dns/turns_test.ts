import assert from "node:assert/strict";
import { FakeClock } from "../net/clock_fake.ts";
import { Fqdn } from "./name.ts";
import { OverflowError } from "./overflow_error.ts";
import { Pace } from "./pace.ts";
import { internetClass, recordTypes } from "./question.ts";
import { Turns } from "./turns.ts";

const timeoutMs = 1_000;

/** The turns of a cluster that is asked as much as it may. */
function open() {
  const clock = new FakeClock();
  const pace = new Pace({ clock });
  const turns = new Turns({ clock, pace, timeoutMs });
  const leaves: (() => void)[] = [];
  while (leaves.length < 2048) leaves.push(pace.lookup());
  const told: string[] = [];
  const wait = (name: string) => {
    const waiter = turns.wait({
      ...{ name: Fqdn.parse(name), type: recordTypes.a, class: internetClass },
    });
    waiter.promise.then(
      (waitedMs) => told.push(`${name} after ${waitedMs}`),
      ({ message }) => told.push(`${name}: ${message}`),
    );
    return () => turns.leave(waiter);
  };
  return { clock, turns, leaves, told, wait };
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("Turns come in order; who asks again has the turn of who asked first", async () => {
  const { clock, turns, leaves, told, wait } = open();
  assert.ok(turns.isFull);
  wait("a.test");
  clock.advance(10);
  wait("b.test");
  wait("A.test");
  assert.equal(turns.size, 2);
  clock.advance(20);
  await tick();
  assert.deepEqual(told, []);
  for (const leave of leaves) leave();
  await tick();
  assert.deepEqual(told, [
    "a.test after 30",
    "A.test after 30",
    "b.test after 20",
  ]);
  assert.equal(turns.size, 0);
  assert.equal(clock.waiting, 0);
});

Deno.test("Turns go to nobody who has left, and there is none that all have left", async () => {
  const { clock, turns, leaves, told, wait } = open();
  const leaveFirst = wait("a.test");
  const others = Array.from({ length: 1000 }, (_, i) => wait(`${i}.test`));
  wait("A.test");
  wait("z.test");
  leaveFirst();
  leaveFirst();
  assert.equal(turns.size, 1002);
  for (const leave of others) leave();
  assert.equal(turns.size, 2);
  for (const leave of leaves) leave();
  await tick();
  assert.deepEqual(told, ["A.test after 0", "z.test after 0"]);
  assert.equal(clock.waiting, 0);
});

Deno.test("Turns fail who has waited for as long as the cluster may take, and all at the stop", async () => {
  const { clock, turns, told, wait } = open();
  wait("a.test");
  clock.advance(600);
  wait("b.test");
  clock.advance(399);
  await tick();
  assert.deepEqual(told, []);
  clock.advance(1);
  await tick();
  assert.deepEqual(told, ["a.test: Cannot look up: no turn in 1000 ms"]);
  wait("c.test");
  clock.advance(600);
  await tick();
  assert.deepEqual(told.slice(1), [
    "b.test: Cannot look up: no turn in 1000 ms",
  ]);
  turns.stop(new Error("stopped"));
  await tick();
  assert.deepEqual(told.slice(2), ["c.test: stopped"]);
  assert.equal(turns.size, 0);
});

Deno.test("Turns let as many ask at a time as there is room left", () => {
  const { turns } = open();
  turns.enter({ room: 2 });
  turns.enter({ room: 2 });
  assert.throws(() => turns.enter({ room: 2 }), OverflowError);
  turns.exit();
  turns.enter({ room: 2 });
});

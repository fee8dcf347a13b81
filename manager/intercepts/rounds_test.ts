import assert from "node:assert/strict";
import { FakeClock } from "../../net/clock_fake.ts";
import { Rounds } from "./rounds.ts";

async function turn(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Rounds that do what the next word says. */
function open(...words: ("settled" | "going" | "broken")[]) {
  const clock = new FakeClock();
  const done: string[] = [];
  const troubles: unknown[] = [];
  const rounds = new Rounds({
    look: async () => {
      const word = words.shift() ?? "settled";
      done.push(word);
      await Promise.resolve();
      if (word === "broken") throw new Error(word);
      return word === "settled";
    },
    onTrouble: (error) => troubles.push(error),
    ...{ tickMs: 1000, clock },
  });
  return { clock, done, troubles, rounds };
}

Deno.test("Rounds looks at once, and then when it is woken", async () => {
  const { clock, done, rounds } = open();
  await turn();
  clock.advance(10_000);
  await turn();
  assert.equal(done.length, 1);
  rounds.wake();
  assert.ok(rounds.isWoken);
  await turn();
  assert.equal(done.length, 2);
  assert.ok(!rounds.isWoken);
  await rounds[Symbol.asyncDispose]();
});

Deno.test("Rounds looks again after a while where something is to come, or a round broke off", async () => {
  const { clock, done, troubles, rounds } = open("going", "broken");
  await turn();
  clock.advance(999);
  await turn();
  assert.deepEqual(done, ["going"]);
  clock.advance(1);
  await turn();
  assert.deepEqual(done, ["going", "broken"]);
  assert.equal(troubles.length, 1);
  clock.advance(1000);
  await turn();
  assert.deepEqual(done, ["going", "broken", "settled"]);
  await rounds[Symbol.asyncDispose]();
});

Deno.test("Rounds that are woken while one is under way have another one after it", async () => {
  const { done, rounds } = open();
  rounds.wake();
  rounds.wake();
  await turn();
  assert.equal(done.length, 2);
  await rounds[Symbol.asyncDispose]();
  rounds.wake();
  await turn();
  assert.equal(done.length, 2, "none after the end");
});

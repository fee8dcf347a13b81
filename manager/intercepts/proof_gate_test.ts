import assert from "node:assert/strict";
import { FakeClock } from "../../net/clock_fake.ts";
import { type Refusal, RefusedError } from "../../net/mod.ts";
import { ProofGate } from "./proof_gate.ts";
import { refusedAs } from "./relay_place_fake.ts";

function refusing(refusal: Refusal) {
  return () => Promise.reject(new RefusedError(refusal, "a test"));
}

async function asked(gate: ProofGate, refusal: Refusal): Promise<number> {
  let count = 0;
  const prove = () => {
    count++;
    return refusing(refusal)();
  };
  for (let i = 0; i < 300; i++) await gate.pass("a", prove).catch(() => {});
  return count;
}

Deno.test("ProofGate lets a stranger ask 32 times, then once a second; who comes from elsewhere at once", async () => {
  const clock = new FakeClock();
  const gate = new ProofGate(clock);
  assert.equal(await asked(gate, "forbidden"), 32);
  const proof = () => Promise.resolve("proof");
  await assert.rejects(gate.pass("a", proof), refusedAs("overloaded"));
  assert.equal(await gate.pass("b", proof), "proof");
  clock.advance(1_000);
  assert.equal(await asked(gate, "forbidden"), 1);
});

Deno.test("ProofGate lets two hundred agents of one address through, and whom the API server did not answer", async () => {
  const gate = new ProofGate(new FakeClock());
  assert.equal(await asked(gate, "failed"), 300);
  for (let i = 0; i < 200; i++) {
    await gate.pass("a", () => Promise.resolve(i));
  }
});

Deno.test("ProofGate keeps a place for who comes from elsewhere while an address waits for answers", async () => {
  const gate = new ProofGate(new FakeClock());
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = Array.from(
    { length: 16 },
    () => gate.pass("a", () => promise),
  );
  await assert.rejects(gate.pass("a", () => promise), refusedAs("overloaded"));
  await gate.pass("b", () => Promise.resolve());
  resolve();
  await Promise.all(waiting);
});

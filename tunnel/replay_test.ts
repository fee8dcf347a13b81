import assert from "node:assert/strict";
import fc from "fast-check";
import { placeIn, runOf } from "./chunk.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { minKeptBytes, Replay } from "./replay.ts";
import { pattern } from "./session_fake.ts";

/** Takes out what is sent next, up to `count` bytes. */
function send(replay: Replay, count: number): Uint8Array {
  const chunk = replay.next();
  if (chunk === undefined) return new Uint8Array(0);
  const { sendAt } = replay;
  const length = Math.min(runOf(chunk, sendAt, chunk.to), count);
  const at = placeIn(chunk, sendAt);
  replay.sent(length);
  return chunk.bytes.slice(at, at + length);
}

Deno.test("what is kept is sent from any place again, until it is acknowledged", () => {
  const deed = fc.record({
    kind: fc.nat(3),
    bytes: fc.oneof(fc.nat(100), fc.nat(300_000)),
  });
  const all = pattern(4_000_000);
  fc.assert(fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
    const budget = new MemoryBudget(4_000_000);
    const replay = new Replay(budget);
    for (const { kind, bytes } of deeds) {
      if (kind === 0) {
        const to = Math.min(replay.to + bytes, all.length);
        replay.push(all, replay.to, to);
      } else if (kind === 1) {
        const from = replay.sendOffset;
        const sent = send(replay, 1 + bytes);
        assert.deepEqual(sent, all.slice(from, from + sent.length));
        assert.equal(sent.length > 0, from < replay.to);
      } else if (kind === 2) {
        replay.acknowledge(Math.min(replay.from + bytes, replay.sendOffset));
      } else {
        const kept = replay.sendOffset - replay.from;
        replay.rewind(replay.from + Math.min(kept, bytes));
      }
    }
    while (replay.sendOffset < replay.to) send(replay, 1e9);
    replay.acknowledge(replay.to);
    assert.equal(budget.takenBytes, 0);
  }));
});

Deno.test("every stream may keep something, and none may keep all", () => {
  const budget = new MemoryBudget(1_000_000);
  const streams = Array.from({ length: 40 }, () => new Replay(budget));
  const kept = streams.map((one) => one.push(new Uint8Array(2e6), 0, 2e6));
  assert.ok(kept[0]! < 700_000);
  assert.ok(kept.every((bytes) => bytes >= minKeptBytes));
  assert.ok(budget.takenBytes <= 1_000_000 + 40 * minKeptBytes);
  for (const one of streams) one.clear();
  assert.equal(budget.takenBytes, 0);
});

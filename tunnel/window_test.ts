import assert from "node:assert/strict";
import fc from "fast-check";
import { defaultLimits, minWindowBytes } from "./limits.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { WindowBudget } from "./window_budget.ts";

const mib = 1024 * 1024;

/** A reader that takes all at once, `rate` bytes per millisecond, over a path of `roundTripMs`. */
function consume(window: ReceiveWindow, roundTripMs: number, rate: number) {
  let consumed = 0;
  let nowMs = 0;
  for (let i = 0; i < 2000; i++) {
    const perRound = Math.min(window.windowBytes, rate * roundTripMs);
    // One round trip: what the window and the rate let through, in sixteen pieces.
    for (let piece = 0; piece < 16; piece++) {
      consumed += Math.floor(perRound / 16);
      nowMs += roundTripMs / 16;
      if (window.isCreditDue(consumed)) {
        window.advance(consumed, nowMs, roundTripMs);
      }
    }
  }
  return window.windowBytes;
}

Deno.test("the first windows are 1 MiB, and get smaller as the budget is shared", () => {
  const budget = new WindowBudget(defaultLimits);
  const first = Array.from({ length: 3000 }, () => budget.first());
  assert.equal(first[0], mib);
  assert.equal(first[60], mib);
  assert.equal(first.at(-1), minWindowBytes);
  assert.deepEqual(first, first.toSorted((a, b) => b - a));
  const promised = first.reduce((sum, one) => sum + one, 0);
  assert.equal(budget.promisedBytes, promised);
  assert.ok(promised <= defaultLimits.budgetBytes + 3000 * minWindowBytes);
});

Deno.test("a window grows to at least the bandwidth-delay product, and not far above it", () => {
  for (
    const [roundTripMs, rate] of [[20, 125_000], [80, 50_000], [
      50,
      60_000,
    ]] as const
  ) {
    const window = new ReceiveWindow(new WindowBudget(defaultLimits));
    const windowBytes = consume(window, roundTripMs, rate);
    const product = roundTripMs * rate;
    assert.ok(windowBytes >= product, `${windowBytes} for ${product}`);
    assert.ok(windowBytes <= 4 * product, `${windowBytes} for ${product}`);
  }
});

Deno.test("a window that does not limit its stream stays as it is", () => {
  const window = new ReceiveWindow(new WindowBudget(defaultLimits));
  assert.equal(consume(window, 20, 1000), mib);
});

Deno.test("a window ends at 16 MiB", () => {
  const window = new ReceiveWindow(new WindowBudget(defaultLimits));
  assert.equal(consume(window, 80, 1_000_000), 16 * mib);
});

Deno.test("many idle streams leave room for a busy one to grow", () => {
  const budget = new WindowBudget(defaultLimits);
  for (let i = 0; i < 2000; i++) new ReceiveWindow(budget);
  const busy = new ReceiveWindow(budget);
  assert.equal(busy.windowBytes, minWindowBytes);
  assert.ok(consume(busy, 20, 125_000) >= 2 * mib);
});

Deno.test("credit is due when a sixteenth is consumed, in small windows at 4 KiB", () => {
  const window = new ReceiveWindow(new WindowBudget(defaultLimits));
  assert.equal(window.isCreditDue(mib / 16 - 1), false);
  assert.equal(window.isCreditDue(mib / 16), true);
  const small = new ReceiveWindow(
    new WindowBudget({ ...defaultLimits, windowBytes: minWindowBytes }),
  );
  assert.equal(small.isCreditDue(4095), false);
  assert.equal(small.isCreditDue(4096), true);
});

Deno.test("the budget is whole again when all streams are gone, and never overdrawn by growth", () => {
  const deed = fc.record({ stream: fc.nat(20), kind: fc.nat(2) });
  fc.assert(fc.property(fc.array(deed, { maxLength: 300 }), (deeds) => {
    const limits = { ...defaultLimits, budgetBytes: 4 * mib };
    const budget = new WindowBudget(limits);
    const windows = new Map<number, { window: ReceiveWindow; at: number }>();
    for (const { stream, kind } of deeds) {
      const one = windows.get(stream);
      if (one === undefined) {
        windows.set(stream, { window: new ReceiveWindow(budget), at: 0 });
      } else if (kind === 0) {
        one.window.giveBack();
        windows.delete(stream);
      } else {
        one.at = one.window.maySendTo;
        one.window.advance(one.at, one.at / 1e9, 1);
      }
      let promised = 0;
      for (const { window } of windows.values()) promised += window.windowBytes;
      assert.equal(budget.promisedBytes, promised);
      assert.ok(promised <= limits.budgetBytes + windows.size * minWindowBytes);
    }
    for (const { window } of windows.values()) window.giveBack();
    assert.equal(budget.promisedBytes, 0);
  }));
});

Deno.test("sessions share what a process has, and none gets a stream when it is used up", () => {
  const shared = new MemoryBudget(2 * mib);
  const [a, b] = [
    new WindowBudget(defaultLimits, shared),
    new WindowBudget(defaultLimits, shared),
  ];
  let given = 0;
  const windows: number[] = [];
  for (let i = 0; a.hasFirst; i++) {
    windows.push((i % 2 === 0 ? a : b).first());
    given += windows.at(-1)!;
  }
  assert.equal(b.hasFirst, false);
  assert.ok(given <= 2 * mib);
  assert.equal(shared.takenBytes, given);
  assert.equal(a.grow(minWindowBytes), 0);
  for (const [i, window] of windows.entries()) {
    (i % 2 === 0 ? a : b).giveBack(window, 0);
  }
  assert.equal(shared.leftBytes, 2 * mib);
});

Deno.test("sessions that take all they may leave the reserve to streams that are opened after", () => {
  const shared = new MemoryBudget(8 * mib, { reservedBytes: 6 * mib });
  const busy = new WindowBudget(defaultLimits, shared);
  let window = busy.first();
  for (let growth = 1; growth > 0; window += growth) {
    growth = busy.grow(window);
  }
  assert.ok(window > mib, `${window} bytes`);
  const later = new WindowBudget(defaultLimits, shared);
  let streams = 0;
  for (; later.hasFirst; streams++) later.first();
  assert.ok(streams >= 6 * mib / minWindowBytes, `${streams} streams`);
  assert.ok(shared.takenBytes <= 8 * mib);
});

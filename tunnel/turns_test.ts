import assert from "node:assert/strict";
import { Batch } from "./batch.ts";
import { Stream } from "./stream.ts";
import { Turns } from "./turns.ts";

/** A stream that has so many bytes to send, in frames of at most 64 KiB. */
class Sender extends Stream {
  leftBytes: number;

  constructor(id: number, bytes: number, isUrgent = false) {
    super(id, isUrgent);
    this.leftBytes = bytes;
  }

  override get isSmall() {
    return this.leftBytes <= 4096;
  }

  override emitControl(batch: Batch) {
    if (batch.room < 24) return false;
    batch.credit(this.id, 0, 0);
    return true;
  }

  override emitData(batch: Batch) {
    const count = Math.min(this.leftBytes, 65536, batch.room - 16);
    batch.data(this.id, 0, new Uint8Array(count), 0, count);
    this.leftBytes -= count;
    return this.leftBytes > 0;
  }

  override emitMove() {
    return true;
  }

  override onReset() {}
  override onSessionEnd() {}
}

const batchBytes = 256 * 1024;

/** Fills one batch and tells whose frames are in it, in order. */
function fill(turns: Turns): number[] {
  const batch = new Batch(batchBytes);
  turns.fill(batch);
  const ids: number[] = [];
  const view = new DataView(batch.bytes.buffer);
  for (let at = 0; at < batch.length;) {
    ids.push(view.getUint32(at + 4));
    at += 8 + (view.getUint32(at) & 0xffffff);
  }
  return ids;
}

Deno.test("control frames go first, small writes next, bulk last", () => {
  const turns = new Turns();
  const [bulk, small, control] = [
    new Sender(1, 100_000),
    new Sender(2, 100),
    new Sender(3, 0),
  ];
  turns.addData(bulk);
  turns.addData(small);
  turns.addControl(control);
  assert.deepEqual(fill(turns), [3, 2, 1, 1]);
  assert.deepEqual(fill(turns), []);
});

Deno.test("bulk streams take turns, one frame each", () => {
  const turns = new Turns();
  for (const id of [1, 2, 3]) turns.addData(new Sender(id, 200_000));
  const order = [...fill(turns), ...fill(turns), ...fill(turns)];
  assert.deepEqual(order.slice(0, 6), [1, 2, 3, 1, 2, 3]);
});

Deno.test("urgent streams go before bulk, but leave it half of the batch", () => {
  const turns = new Turns();
  turns.addData(new Sender(1, 10_000_000));
  turns.addData(new Sender(2, 10_000_000, true));
  const ids = fill(turns);
  assert.equal(ids[0], 2);
  assert.ok(ids.includes(1));
});

Deno.test("who is in line twice has one turn", () => {
  const turns = new Turns();
  const sender = new Sender(1, 100);
  turns.addControl(sender);
  turns.addControl(sender);
  turns.addData(sender);
  turns.addData(sender);
  assert.deepEqual(fill(turns), [1, 1]);
});

Deno.test("who does not fit is first in the next batch", () => {
  const turns = new Turns();
  const senders = Array.from({ length: 20_000 }, (_, i) => new Sender(i, 0));
  for (const sender of senders) turns.addControl(sender);
  const ids: number[] = [];
  for (;;) {
    const some = fill(turns);
    if (some.length === 0) break;
    ids.push(...some);
  }
  assert.deepEqual(ids, senders.map((one) => one.id));
});

Deno.test("clear() forgets all, and all may come again", () => {
  const turns = new Turns();
  const sender = new Sender(1, 100);
  turns.addControl(sender);
  turns.addData(sender);
  turns.clear();
  assert.deepEqual(fill(turns), []);
  turns.addData(sender);
  assert.deepEqual(fill(turns), [1]);
});

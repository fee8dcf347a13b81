import assert from "node:assert/strict";
import { type Conn, ConnResetError } from "../net/mod.ts";
import { FakeClock } from "../net/clock_fake.ts";
import type { Batch } from "./batch.ts";
import { Outbox } from "./outbox.ts";
import type { ControlSender } from "./stream.ts";

/** A carrier that takes each write when it is told to. */
class HeldCarrier implements Conn {
  readonly writes: number[] = [];
  /** How large the buffers were that the writes came from. */
  readonly buffers: number[] = [];
  isEnded = false;
  #waiting = Promise.withResolvers<number>();

  write(bytes: Uint8Array): Promise<number> {
    this.writes.push(bytes.length);
    this.buffers.push(bytes.buffer.byteLength);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Takes `count` bytes of the write that waits. */
  async take(count: number): Promise<void> {
    this.#waiting.resolve(count);
    await turn();
  }

  async fail(): Promise<void> {
    this.#waiting.reject(new ConnResetError("cut"));
    await turn();
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  closeWrite(): Promise<void> {
    this.isEnded = true;
    return Promise.resolve();
  }

  close(): void {}
  reset(): void {}
}

const clock = new FakeClock();

/** A control frame of 24 bytes. */
class Frame implements ControlSender {
  isInControlLine = false;
  emitControl(batch: Batch): boolean {
    batch.credit(1, 0, 0);
    return true;
  }
}

/** Lets all microtasks run. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("frames of one turn share a write, and those that come meanwhile the next", async () => {
  const carrier = new HeldCarrier();
  const outbox = new Outbox(carrier, { clock, onError: () => assert.fail() });
  for (let i = 0; i < 3; i++) outbox.sendControl(new Frame());
  await turn();
  assert.deepEqual(carrier.writes, [72]);
  for (let i = 0; i < 2; i++) outbox.sendControl(new Frame());
  await turn();
  assert.deepEqual(carrier.writes, [72], "one write at a time");
  await carrier.take(72);
  assert.deepEqual(carrier.writes, [72, 48]);
  await carrier.take(48);
  assert.equal(outbox.sentBytes, 120);
  outbox.sendControl(new Frame());
  await turn();
  assert.deepEqual(carrier.writes, [72, 48, 24]);
});

Deno.test("who has little to send uses little memory for it", async () => {
  const carrier = new HeldCarrier();
  const outbox = new Outbox(carrier, { clock, onError: () => assert.fail() });
  outbox.sendControl(new Frame());
  await turn();
  assert.ok(carrier.buffers[0]! <= 20 * 1024, `${carrier.buffers}`);
  outbox.stop();
});

Deno.test("a write that was taken in part is finished before the next", async () => {
  const carrier = new HeldCarrier();
  const outbox = new Outbox(carrier, { clock, onError: () => assert.fail() });
  outbox.sendControl(new Frame());
  await turn();
  outbox.sendControl(new Frame());
  await carrier.take(10);
  assert.deepEqual(carrier.writes, [24, 14]);
  await carrier.take(14);
  assert.deepEqual(carrier.writes, [24, 14, 24]);
});

Deno.test("what nobody waits for goes with what is sent next, or a little later alone", async () => {
  const carrier = new HeldCarrier();
  const outbox = new Outbox(carrier, { clock, onError: () => assert.fail() });
  outbox.sendLater(new Frame());
  await turn();
  assert.deepEqual(carrier.writes, []);
  outbox.sendControl(new Frame());
  await turn();
  assert.deepEqual(carrier.writes, [48]);
  await carrier.take(48);
  clock.advance(10);
  await turn();
  assert.deepEqual(carrier.writes, [48], "nothing is left for the timer");
  outbox.sendLater(new Frame());
  clock.advance(10);
  await turn();
  assert.deepEqual(carrier.writes, [48, 24]);
  await carrier.take(24);
  outbox.sendLater(new Frame());
  outbox.stop();
  clock.advance(10);
  await turn();
  assert.deepEqual(carrier.writes, [48, 24]);
});

Deno.test("a carrier that fails is told once, and nothing is written after it", async () => {
  const carrier = new HeldCarrier();
  const errors: unknown[] = [];
  const outbox = new Outbox(carrier, {
    clock,
    onError: (error) => void errors.push(error),
  });
  outbox.sendControl(new Frame());
  await turn();
  await carrier.fail();
  outbox.sendControl(new Frame());
  await turn();
  assert.deepEqual(carrier.writes, [24]);
  assert.equal(errors.length, 1);
  assert.ok(errors[0] instanceof ConnResetError);
  await outbox.finish(new Frame());
});

Deno.test("finish() forgets what waits, sends its last frame and ends the carrier", async () => {
  const carrier = new HeldCarrier();
  const outbox = new Outbox(carrier, { clock, onError: () => assert.fail() });
  outbox.sendControl(new Frame());
  await turn();
  outbox.sendControl(new Frame());
  outbox.sendControl(new Frame());
  const finishing = outbox.finish(new Frame());
  await carrier.take(24);
  assert.equal(carrier.isEnded, false);
  await carrier.take(24);
  await finishing;
  assert.deepEqual(carrier.writes, [24, 24]);
  assert.equal(carrier.isEnded, true);
  outbox.sendControl(new Frame());
  await turn();
  assert.deepEqual(carrier.writes, [24, 24]);
});

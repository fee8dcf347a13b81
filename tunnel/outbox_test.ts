import assert from "node:assert/strict";
import { type Conn, ConnResetError } from "../net/mod.ts";
import { FakeClock } from "../net/clock_fake.ts";
import type { Batch } from "./batch.ts";
import { frameChunkBytes, giveChunk, takeFrameChunk } from "./chunk.ts";
import type { Direct } from "./direct.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { Outbox } from "./outbox.ts";
import { Outflow } from "./outflow.ts";
import type { ControlSender, Stream } from "./stream.ts";

/** A carrier that takes each write when it is told to. */
class HeldCarrier implements Conn {
  readonly writes: number[] = [];
  /** How large the buffers were that the writes came from. */
  readonly buffers: number[] = [];
  /** The write that waits, as it is in memory at the moment: a carrier may read it as late as when it takes it. */
  held = new Uint8Array(0);
  isEnded = false;
  #waiting = Promise.withResolvers<number>();

  write(bytes: Uint8Array): Promise<number> {
    this.writes.push(bytes.length);
    this.buffers.push(bytes.buffer.byteLength);
    this.held = bytes as Uint8Array<ArrayBuffer>;
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

/** A stream with whole frames to send, and what of it an outbox knows. */
function framesToSend() {
  const outflow = new Outflow(new MemoryBudget(2 ** 20), 2 ** 20);
  const stream = {
    ...{ isUrgent: false, isInControlLine: false, isInDataLine: false },
    get isSmall() {
      return outflow.isSmall;
    },
    emitData: (batch: Batch) => outflow.emit(batch, 1, 0),
    emitDirect: (direct: Direct) => outflow.emitDirect(direct, 1),
  } as unknown as Stream;
  void outflow.write(new Uint8Array(frameChunkBytes).fill(1));
  return { outflow, stream };
}

Deno.test("what a carrier is being given stays as it is when its stream goes on at another one", async () => {
  const { outflow, stream } = framesToSend();
  const [former, next] = [new HeldCarrier(), new HeldCarrier()];
  const onError = () => assert.fail();
  const [from, to] = [former, next].map((one) =>
    new Outbox(one, { clock, onError })
  );
  // The tokens of the two carriers are to differ.
  to!.ping();
  await turn();
  await next.take(16);
  from!.sendData(stream);
  from!.ping();
  await turn();
  assert.ok(former.held.length > frameChunkBytes);
  const given = former.held.slice();
  assert.equal(given.at(-16), 12, "PING is in the tail of the frames");

  from!.remove(stream);
  assert.equal(outflow.rewind(0, 2 ** 20), frameChunkBytes);
  to!.sendData(stream);
  to!.ping();
  await turn();
  assert.ok(next.held.length > frameChunkBytes, "all is sent again");
  assert.notEqual(next.held.at(-1), given.at(-1), "token of PING");
  assert.deepEqual(former.held, given);
  for (const outbox of [from!, to!]) outbox.stop();
});

Deno.test("what a carrier is about to be given is not used again when the peer has it by another one", async () => {
  const { outflow, stream } = framesToSend();
  const carrier = new HeldCarrier();
  const outbox = new Outbox(carrier, { clock, onError: () => assert.fail() });
  outbox.sendControl(new Frame());
  outbox.sendData(stream);
  await turn();
  assert.deepEqual(carrier.writes, [24], "the frames are next");

  outbox.remove(stream);
  outflow.rewind(frameChunkBytes, 2 ** 20);
  const another = takeFrameChunk();
  another.bytes.fill(255);
  await carrier.take(24);
  assert.ok(carrier.held.length > frameChunkBytes);
  assert.ok(!carrier.held.subarray(0, 1024).includes(255));
  giveChunk(another);
  outbox.stop();
});

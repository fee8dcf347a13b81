/** What the decoder does with anything at all. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Batch } from "./batch.ts";
import { FrameDecoder, type FrameSink } from "./decoder.ts";
import {
  decodeHello,
  decodeJoin,
  decodeOpening,
  decodeWelcome,
} from "./greeting.ts";
import { ProtocolError } from "./protocol_error.ts";

/** Counts frames and the bytes that were handed on. */
class Counter implements FrameSink {
  frames = 0;
  bytes = 0;
  trace = 0;
  #count(bytes: number, ...numbers: number[]) {
    this.frames++;
    this.bytes += bytes;
    for (const one of numbers) this.trace = (this.trace * 31 + one) % 1e9;
  }
  onOpen(stream: number, flags: number, to: number, target: Uint8Array) {
    this.#count(target.length, stream, flags, to);
  }
  onAccept(stream: number, to: number) {
    this.#count(0, stream, to);
  }
  onRefuse(stream: number, _refusal: string, detail: string) {
    this.#count(0, stream, detail.length);
  }
  onData(
    stream: number,
    offset: number,
    _bytes: Uint8Array,
    from: number,
    to: number,
  ) {
    for (let i = from; i < to; i++) this.#count(1, stream, offset + i - from);
  }
  onDatagram(stream: number, _bytes: Uint8Array, from: number, to: number) {
    this.#count(to - from, stream);
  }
  onCredit(stream: number, received: number, to: number) {
    this.#count(0, stream, received, to);
  }
  onResume(stream: number, received: number, to: number) {
    this.#count(0, stream, received, to);
  }
  onMoved(carrier: number, phase: number) {
    this.#count(0, carrier, phase);
  }
  onEnd(stream: number, offset: number, received: number) {
    this.#count(0, stream, offset, received);
  }
  onReset(stream: number, reason: number, detail: string) {
    this.#count(0, stream, reason, detail.length);
  }
  onPing(high: number, low: number) {
    this.#count(0, high, low);
  }
  onPong(high: number, low: number) {
    this.#count(0, high, low);
  }
  onGoaway(reason: number, detail: string) {
    this.#count(0, reason, detail.length);
  }
}

/** Decodes `bytes`, given in pieces that end at `cuts`. The breach, if there is one, and what was told. */
function decode(bytes: Uint8Array, cuts: number[]) {
  const counter = new Counter();
  const decoder = new FrameDecoder();
  let breach: string | undefined;
  try {
    let from = 0;
    for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
      from = decoder.decode(bytes, from, Math.min(cut, bytes.length), counter);
    }
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error));
    breach = error.breach;
  }
  return { breach, counter };
}

/** Frames that are whole and in order, with arbitrary contents. */
const someFrames = fc.array(
  fc.record({
    kind: fc.nat(11),
    stream: fc.integer({ min: 1, max: 0xffffffff }),
    a: fc.maxSafeNat(),
    b: fc.maxSafeNat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    text: fc.string({ maxLength: 40 }),
  }),
  { maxLength: 12 },
).map((all) => {
  const batch = new Batch(64 * 1024);
  for (const { kind, stream, a, b, bytes, text } of all) {
    if (kind === 0) batch.open(stream, a % 4, b, bytes);
    if (kind === 1) batch.accept(stream, a);
    if (kind === 2) batch.refuse(stream, "refused", text);
    if (kind === 3) {
      batch.data(stream, Math.min(a, 2 ** 52), bytes, 0, bytes.length);
    }
    if (kind === 4) {
      batch.bytes.set(bytes, batch.datagram(stream, bytes.length));
    }
    if (kind === 5) batch.credit(stream, a, b);
    if (kind === 6) batch.end(stream, a, b);
    if (kind === 7) batch.reset(stream, a % 256, text);
    if (kind === 8) batch.ping(a >>> 0, b >>> 0);
    if (kind === 9) batch.goaway(a % 256, text);
    if (kind === 10) batch.resume(stream, a, b);
    if (kind === 11) batch.moved(stream, a % 2 === 0 ? 0 : 1);
  }
  return batch.bytes.slice(0, batch.length);
});

Deno.test("whole frames decode the same however they are cut", () => {
  fc.assert(fc.property(
    someFrames,
    fc.array(fc.nat(8000), { maxLength: 20 }),
    (bytes, cuts) => {
      const whole = decode(bytes, []);
      const pieces = decode(bytes, cuts);
      assert.equal(whole.breach, undefined);
      assert.deepEqual(pieces, whole);
    },
  ));
});

Deno.test("no bytes make the decoder throw anything but ProtocolError, or hand on more than it was given", () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    // A type that exists and a length that may fit.
    fc.tuple(fc.nat(18), fc.nat(40), fc.uint8Array({ maxLength: 200 })).map(
      ([type, length, rest]) => Uint8Array.of(type, 0, 0, length, ...rest),
    ),
    // Good frames with some bytes spoilt.
    fc.tuple(someFrames, fc.array(fc.tuple(fc.nat(4000), fc.nat(255)))).map(
      ([bytes, changes]) => {
        for (const [at, value] of changes) {
          if (at < bytes.length) bytes[at] = value;
        }
        return bytes;
      },
    ),
  );
  fc.assert(
    fc.property(
      anything,
      fc.array(fc.nat(4000), { maxLength: 6 }),
      (bytes, cuts) => {
        const { counter } = decode(bytes, cuts);
        assert.ok(counter.bytes <= bytes.length);
      },
    ),
    { numRuns: 2000, interruptAfterTimeLimit: 2000 },
  );
});

Deno.test("no bytes make the greeting throw anything but ProtocolError", () => {
  const anything = fc.uint8Array({ maxLength: 300 }).chain((rest) =>
    fc.constantFrom(
      rest,
      Uint8Array.of(0x74, 0x70, 0x2f, 0x73, 0, 1, 0, 1, ...rest),
    )
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      for (
        const decode of [decodeOpening, decodeWelcome, decodeHello, decodeJoin]
      ) {
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
          assert.equal(error.breach, "bad-greeting");
        }
      }
    }),
    { numRuns: 1000, interruptAfterTimeLimit: 1000 },
  );
});

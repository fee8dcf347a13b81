/**
 * Drives both ends of a session through arbitrary lives of streams, over a carrier that cuts bytes anywhere and may
 * break. Every byte arrives once and in order, or the stream ends with a named reason; memory stays in its bound.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { type Conn, ConnResetError, RefusedError } from "../net/mod.ts";
import { connPair } from "../net/conn_fake.ts";
import { minWindowBytes } from "./limits.ts";
import type { Incoming } from "./mod.ts";
import { openPair, type Pair, pattern, until } from "./session_fake.ts";

/** Later reads do not pause, so that a run has an end. */
const maxPausedReads = 20;

/** What one end does with a stream. */
interface Life {
  /** Sizes of the writes. */
  writes: number[];
  /** Size of the reads, and after how many of them the reader pauses for a turn of the event loop. */
  readBytes: number;
  pauseEvery: number;
  /** "end": after all was written and read. Else in the middle of it, after so many read bytes or what the peer sends. */
  ending: "end" | "close" | "reset";
  endingAfterBytes: number;
}

/** What one end saw of a stream. */
interface Seen {
  sent: number;
  received: number;
  /** The other end's END was read. */
  isComplete: boolean;
  /** END was sent after all writes. */
  hasEnded: boolean;
  error: unknown;
}

interface Plan {
  opener: Life;
  acceptor: Life;
  fromDialer: boolean;
  isUrgent: boolean;
}

const life: fc.Arbitrary<Life> = fc.record({
  writes: fc.array(
    fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.nat(150_000)),
    { maxLength: 8 },
  ),
  readBytes: fc.oneof(
    fc.integer({ min: 100, max: 5000 }),
    fc.constant(64 * 1024),
  ),
  pauseEvery: fc.integer({ min: 1, max: 8 }),
  ending: fc.oneof(
    { weight: 4, arbitrary: fc.constant("end" as const) },
    fc.constantFrom("close" as const, "reset" as const),
  ),
  endingAfterBytes: fc.nat(100_000),
});

const plans = fc.array(
  fc.record({
    opener: life,
    acceptor: life,
    fromDialer: fc.boolean(),
    isUrgent: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

const carrierCuts = fc.record({
  /** Repeated sizes of what the carrier takes and gives at a time. */
  sizes: fc.array(fc.integer({ min: 1, max: 90_000 }), {
    minLength: 1,
    maxLength: 5,
  }),
  bufferBytes: fc.constantFrom(700, 10_000, 1_000_000),
  /** After so many bytes the carrier breaks. */
  breaksAfter: fc.option(fc.nat(800_000), { nil: Infinity }),
});

/** A carrier that takes and gives bytes in arbitrary pieces. */
function cutting(
  conn: Conn,
  { sizes, breaksAfter }: { sizes: number[]; breaksAfter: number },
): Conn {
  let turn = 0;
  let total = 0;
  const piece = (bytes: Uint8Array) => {
    total += bytes.length;
    if (total > breaksAfter) conn.reset();
    return bytes.subarray(0, sizes[turn++ % sizes.length]);
  };
  return {
    read: (into) => conn.read(piece(into)),
    write: (bytes) => conn.write(piece(bytes)),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
    reset: () => conn.reset(),
  };
}

/** Lives through `life` on `conn`; sends the pattern of the first seed and expects that of the second. */
async function live(
  conn: Conn,
  life: Life,
  peer: Life,
  [ownSeed, peerSeed]: [number, number],
): Promise<Seen> {
  const own = pattern(totalOf(life), ownSeed);
  const stopAt = life.ending === "end"
    ? Infinity
    : Math.min(life.endingAfterBytes, totalOf(peer));
  const expected = pattern(8 * 150_000, peerSeed);
  const seen: Seen = {
    sent: 0,
    received: 0,
    isComplete: false,
    hasEnded: false,
    error: undefined,
  };
  const leave = () => life.ending === "reset" ? conn.reset() : conn.close();
  const write = async () => {
    for (const size of life.writes) {
      const to = seen.sent + size;
      while (seen.sent < to) {
        seen.sent += await conn.write(own.subarray(seen.sent, to));
      }
    }
    if (life.ending === "end") {
      await conn.closeWrite();
      seen.hasEnded = true;
    }
  };
  const read = async () => {
    const buffer = new Uint8Array(life.readBytes);
    for (let turn = 1;; turn++) {
      if (seen.received >= stopAt) return leave();
      const count = await conn.read(buffer);
      if (count === null) break;
      const place = expected.subarray(seen.received, seen.received + count);
      if (Buffer.compare(buffer.subarray(0, count), place) !== 0) {
        throw new Error(`Wrong bytes after ${seen.received}`);
      }
      seen.received += count;
      if (turn % life.pauseEvery === 0 && turn < maxPausedReads) {
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    seen.isComplete = true;
  };
  try {
    await Promise.all([write(), read()]);
  } catch (error) {
    seen.error = error;
  }
  leave();
  return seen;
}

function totalOf({ writes }: Life): number {
  return writes.reduce((sum, one) => sum + one, 0);
}

/** One stream from its plan: what its opener and its acceptor saw; the acceptor may have seen nothing. */
async function run(
  pair: Pair,
  plan: Plan,
  index: number,
  accepted: Map<number, Promise<Seen>>,
): Promise<{ opener: Seen; acceptor: Seen | undefined } | undefined> {
  const session = plan.fromDialer ? pair.dialer : pair.acceptor;
  try {
    const conn = await session.open(Uint8Array.of(index), {
      urgent: plan.isUrgent,
    });
    const opener = await live(conn, plan.opener, plan.acceptor, [
      2 * index,
      2 * index + 1,
    ]);
    return { opener, acceptor: await accepted.get(index) };
  } catch (error) {
    assert.ok(error instanceof RefusedError, String(error));
    assert.equal(error.refusal, "gone");
    return undefined;
  }
}

function check(here: Seen, there: Seen, breaks: boolean, plan: Plan): void {
  for (const { error } of [here, there]) {
    assert.ok(
      error === undefined || error instanceof ConnResetError,
      String(error),
    );
  }
  assert.ok(here.received <= there.sent + 150_000);
  if (here.isComplete) assert.ok(here.received >= there.sent);
  const isOrderly = !breaks && plan.opener.ending === "end" &&
    plan.acceptor.ending === "end";
  if (isOrderly) {
    assert.equal(here.error, undefined);
    assert.ok(here.isComplete && here.hasEnded);
    assert.equal(here.received, there.sent);
  }
}

Deno.test("every byte arrives once and in order, or the stream ends with a named reason, within the memory bound", async () => {
  const budgetBytes = 512 * 1024;
  await fc.assert(
    fc.asyncProperty(plans, carrierCuts, async (plans, cuts) => {
      const breaks = cuts.breaksAfter !== Infinity;
      const [near, far] = connPair({ bufferBytes: cuts.bufferBytes });
      const accepted = new Map<number, Promise<Seen>>();
      const serve = (incoming: Incoming) => {
        const index = incoming.target[0]!;
        const { opener, acceptor } = plans[index]!;
        const seeds: [number, number] = [2 * index + 1, 2 * index];
        accepted.set(index, live(incoming.accept(), acceptor, opener, seeds));
      };
      const opening = openPair({
        serve,
        serveDialer: serve,
        limits: { budgetBytes, windowBytes: 64 * 1024 },
        carriers: [cutting(near, cuts), far],
      });
      let pair: Pair;
      try {
        pair = await opening;
      } catch (error) {
        assert.ok(breaks && error instanceof ConnResetError, String(error));
        return;
      }
      const bound = budgetBytes + plans.length * minWindowBytes;
      const watch = setInterval(() => {
        for (const session of [pair.dialer, pair.acceptor]) {
          const { unreadBytes, promisedBytes } = session.stats();
          assert.ok(unreadBytes <= promisedBytes);
          assert.ok(promisedBytes <= bound);
        }
      });
      try {
        const lives = await Promise.all(
          plans.map((plan, i) => run(pair, plan, i, accepted)),
        );
        for (const [i, seen] of lives.entries()) {
          if (seen?.acceptor === undefined) {
            assert.ok(breaks);
            continue;
          }
          check(seen.opener, seen.acceptor, breaks, plans[i]!);
          check(seen.acceptor, seen.opener, breaks, plans[i]!);
        }
        await Promise.all(accepted.values());
        for (const session of [pair.dialer, pair.acceptor]) {
          await until(() => session.stats().streams === 0);
          assert.equal(session.stats().promisedBytes, 0);
        }
      } finally {
        clearInterval(watch);
        await pair[Symbol.asyncDispose]();
      }
    }),
    { numRuns: 100, endOnFailure: true },
  );
});

/** Arbitrary lives of streams, lived on a session: what each end saw, and whether that is as it should be. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { type Conn, ConnResetError, RefusedError } from "../net/mod.ts";
import type { Incoming, Session } from "./mod.ts";
import { pattern } from "./session_fake.ts";

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
export interface Seen {
  sent: number;
  received: number;
  /** The other end's END was read. */
  isComplete: boolean;
  /** END was sent after all writes. */
  hasEnded: boolean;
  error: unknown;
}

export interface Plan {
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

export const plans = fc.array(
  fc.record({
    opener: life,
    acceptor: life,
    fromDialer: fc.boolean(),
    isUrgent: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

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
  const fail = (error: unknown) => {
    seen.error ??= error;
    leave();
  };
  await Promise.all([write().catch(fail), read().catch(fail)]);
  leave();
  return seen;
}

function totalOf({ writes }: Life): number {
  return writes.reduce((sum, one) => sum + one, 0);
}

/** One stream from its plan: what its opener and its acceptor saw; the acceptor may have seen nothing. */
export async function run(
  pair: { dialer: Session; acceptor: Session },
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
    assert.ok(["gone", "failed"].includes(error.refusal), error.message);
    return undefined;
  }
}

export function check(
  here: Seen,
  there: Seen,
  breaks: boolean,
  plan: Plan,
): void {
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

/** Accepts the streams of `plans`; what became of each is put into `accepted`. */
export function acceptAll(
  plans: Plan[],
  accepted: Map<number, Promise<Seen>>,
): (incoming: Incoming) => void {
  return (incoming) => {
    const index = incoming.target[0]!;
    assert.ok(!accepted.has(index), "a stream was opened twice");
    const { opener, acceptor } = plans[index]!;
    const seeds: [number, number] = [2 * index + 1, 2 * index];
    accepted.set(index, live(incoming.accept(), acceptor, opener, seeds));
  };
}

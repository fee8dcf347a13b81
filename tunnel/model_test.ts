/**
 * Drives both ends of a session through arbitrary lives of streams, over a carrier that cuts bytes anywhere and may
 * break. Every byte arrives once and in order, or the stream ends with a named reason; memory stays in its bound.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Clock, type Conn, ConnResetError } from "../net/mod.ts";
import { connPair } from "../net/conn_fake.ts";
import { FakeCarrier, openFleet } from "./carriers_fake.ts";
import { minWindowBytes } from "./limits.ts";
import type { LiveSession } from "./live_session.ts";
import {
  acceptAll,
  check,
  type Plan,
  plans,
  run,
  type Seen,
} from "./lives_fake.ts";
import { openPair, type Pair, until } from "./session_fake.ts";

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

Deno.test("every byte arrives once and in order, or the stream ends with a named reason, within the memory bound", async () => {
  const budgetBytes = 512 * 1024;
  await fc.assert(
    fc.asyncProperty(plans, carrierCuts, async (plans, cuts) => {
      const breaks = cuts.breaksAfter !== Infinity;
      const [near, far] = connPair({ bufferBytes: cuts.bufferBytes });
      const accepted = new Map<number, Promise<Seen>>();
      const serve = acceptAll(plans, accepted);
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

/** Time that runs many times as fast: silences and pauses that take seconds are over in a moment. */
const haste = 60;
const hastyClock: Clock = {
  now: () => performance.now() * haste,
  after(ms, run) {
    const timer = setTimeout(run, ms / haste);
    return () => clearTimeout(timer);
  },
};

/** What befalls the first carriers; the later ones are good, so that a run has an end. */
const fates = fc.array(
  fc.record({
    kind: fc.constantFrom(
      "reset" as const,
      "black hole" as const,
      "no dial" as const,
      "held up" as const,
      "good" as const,
    ),
    afterBytes: fc.oneof(fc.nat(2000), fc.nat(300_000)),
    bufferBytes: fc.constantFrom(700, 10_000, 200_000),
  }),
  { maxLength: 8 },
);

/** Streams that the dialer moves alone, again and again, as long as the run lasts: by place, to a carrier by place. */
const changes = fc.array(
  fc.record({
    stream: fc.nat(5),
    to: fc.nat(3),
    /** Promises that settle before it. */
    steps: fc.nat(100),
  }),
  { maxLength: 12 },
);

/** In haste a greeting has a sixth of a second: a busy machine may take longer, and greets anew. */
async function greeted(
  options: Parameters<typeof openFleet>[0],
): ReturnType<typeof openFleet> {
  for (let left = 10;; left--) {
    try {
      return await openFleet(options);
    } catch (error) {
      const isLate = error instanceof ConnResetError &&
        error.message.includes("no answer within");
      if (!isLate || left === 0) throw error;
    }
  }
}

/** Opens all carriers that can be had. */
async function openCarriers(session: LiveSession): Promise<void> {
  for (let left = 20; left > 0 && session.carriers.size < 4; left--) {
    session.keeper?.onBulk(3);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Makes `changes` until `isOver`. */
async function change(
  session: LiveSession,
  { ids, changes, isOver }: {
    ids: readonly number[];
    changes: readonly { stream: number; to: number; steps: number }[];
    isOver: () => boolean;
  },
): Promise<void> {
  while (changes.length > 0 && !isOver()) {
    for (const { stream, to, steps } of changes) {
      for (let left = steps; left > 0; left--) await undefined;
      const carriers = [...session.carriers.values()];
      if (carriers.length === 0) break;
      session.change(
        ids[stream % ids.length]!,
        carriers[to % carriers.length]!,
      );
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** The ids that streams get. */
function idsOf(plans: readonly Plan[]): number[] {
  const next = { dialer: 1, acceptor: 2 };
  return plans.map(({ fromDialer }) => {
    const end = fromDialer ? "dialer" : "acceptor";
    return (next[end] += 2) - 2;
  });
}

Deno.test("no carrier's loss and no stream's move costs a byte, or leaves a stream behind", async () => {
  const budgetBytes = 512 * 1024;
  await fc.assert(
    fc.asyncProperty(plans, fates, changes, async (plans, fates, changes) => {
      const accepted = new Map<number, Promise<Seen>>();
      const serve = acceptAll(plans, accepted);
      await using fleet = await greeted({
        serve,
        serveDialer: serve,
        clock: hastyClock,
        limits: { budgetBytes, keptBytes: budgetBytes, windowBytes: 64 * 1024 },
        carrier(index) {
          const fate = fates[index - 1];
          if (fate?.kind === "no dial") throw new ConnResetError("no way");
          if (fate === undefined) return new FakeCarrier();
          const { kind, afterBytes, bufferBytes } = fate;
          return new FakeCarrier({
            bufferBytes,
            // Much is under way when a stream leaves it.
            isSlow: bufferBytes > 10_000,
            fate: { kind, afterBytes },
          });
        },
      });
      // The first carrier greets before anything befalls it.
      fleet.carriers[0]!.fate = { kind: "reset", afterBytes: 5000 };
      const bound = budgetBytes + plans.length * minWindowBytes;
      const watch = setInterval(() => {
        for (const session of [fleet.dialer, fleet.acceptor]) {
          const { promisedBytes, keptBytes } = session.stats();
          assert.ok(promisedBytes <= bound);
          assert.ok(keptBytes <= bound);
        }
      });
      const dialer = fleet.dialer as LiveSession;
      if (changes.length > 0) await openCarriers(dialer);
      let isOver = false;
      const changing = change(dialer, {
        ids: idsOf(plans),
        changes,
        isOver: () => isOver,
      });
      try {
        const lives = await Promise.all(
          plans.map((plan, i) => run(fleet, plan, i, accepted)),
        );
        for (const [i, seen] of lives.entries()) {
          if (seen?.acceptor === undefined) continue;
          check(seen.opener, seen.acceptor, false, plans[i]!);
          check(seen.acceptor, seen.opener, false, plans[i]!);
        }
        await Promise.all(accepted.values());
        for (const session of [fleet.dialer, fleet.acceptor]) {
          await until(() => session.stats().streams === 0);
          assert.equal(session.stats().promisedBytes, 0);
          assert.equal(session.stats().keptBytes, 0);
        }
      } finally {
        isOver = true;
        await changing;
        clearInterval(watch);
      }
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

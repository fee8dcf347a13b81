import type { Clock } from "../net/mod.ts";
import type { Readings } from "./clusters.ts";
import { findFirst, type Found, type FoundAlias, soon } from "./find_first.ts";
import type { Asking } from "./question.ts";

export interface FindInTurnOptions {
  question: Asking;
  clock: Clock;
  /** How many more may be answered at a time. */
  room: number;
  /** When the asker is to have a word. He may wait when absent. */
  word: Word | undefined;
}

/** Calls `late` after the time for a word, of which `agoMs` have passed. Returns how to call it off. */
export type Word = (late: () => void, agoMs?: number) => () => void;

/**
 * What `findFirst` finds, which begins when it is the turn of the question to the first cluster; "late" when that has taken
 * until the asker is to have a word. Whatever ends it, he waits for his turn no longer.
 *
 * @throws {OverflowError} when too many ask that cluster already.
 */
export async function findInTurn(
  readings: Readings,
  options: FindInTurnOptions,
): Promise<Found | FoundAlias | undefined | "late"> {
  const [{ cluster, decision }] = readings;
  const { resolver, turns } = cluster;
  if (decision.by === "alias") return await find(readings, options);
  const { type, class: kind } = options.question;
  const question = { name: decision.names[0], type, class: kind };
  if (resolver.isKept(question)) return await find(readings, options);
  turns.enter(options);
  try {
    if (!turns.isFull || resolver.isAsking(question)) {
      return await find(readings, options);
    }
    // Where another may know the name, it is not for one that is away to say when that is asked.
    if (readings.length > 1 && cluster.isAway?.()) {
      const waiter = turns.wait(question);
      const { promise: waitedMs } = waiter;
      return await find(readings, options, { waitedMs })
        .finally(() => turns.leave(waiter));
    }
    const sinceMs = options.clock.now();
    const waitedMs = await turns.wait(question, options.word).promise;
    if (waitedMs === undefined) return "late";
    const agoMs = options.clock.now() - sinceMs;
    return await find(readings, options, { waitedMs, agoMs });
  } finally {
    turns.exit();
  }
}

function find(
  readings: Readings,
  { question, clock, word }: FindInTurnOptions,
  { waitedMs = 0, agoMs = 0 }: {
    waitedMs?: number | Promise<number | undefined>;
    agoMs?: number;
  } = {},
): Promise<Found | FoundAlias | undefined | "late"> {
  const finding = findFirst(readings, { ...question, clock, waitedMs });
  return word === undefined
    ? finding
    : soon(finding, (late) => word(late, agoMs));
}

import { logger } from "../log.ts";
import type { Fallback, Rule } from "../manager/api.ts";
import type { Clock } from "../net/mod.ts";
import type { Counters } from "./counters.ts";

const log = logger("agent");

/** Of one intercept no more is logged than once in this time; the counters tell how many there were. */
export const quietMs = 60_000;
/** So often at most the manager is told of one intercept. */
export const reportMs = 10_000;
/** Intercepts of which it is known when they were told of. */
const maxKnown = 256;
/** More of a reason is not told. */
const maxReasonLength = 500;

export interface FallbacksOptions {
  readonly counters: Counters;
  readonly clock: Clock;
  /** Tells the manager. */
  readonly report: (fallback: Fallback, rule: Rule) => void;
}

/** Tells of what the app was given since the laptop did not take it. */
export class Fallbacks {
  readonly #options: FallbacksOptions;
  readonly #loggedMs = new Map<string, number>();
  readonly #reportedMs = new Map<string, number>();

  constructor(options: FallbacksOptions) {
    this.#options = options;
  }

  add(rule: Rule, error: unknown): void {
    const { counters, clock, report } = this.#options;
    const { id, name, owner } = rule;
    counters.add("fallbacks");
    const nowMs = clock.now();
    if (isDue(this.#reportedMs, { id, nowMs, everyMs: reportMs })) {
      const text = error instanceof Error ? error.message : String(error);
      report({ fallback: id, reason: text.slice(0, maxReasonLength) }, rule);
    }
    if (isDue(this.#loggedMs, { id, nowMs, everyMs: quietMs })) {
      log.warn("the laptop did not take what is its", { name, owner, error });
    }
  }
}

/** Whether `id` was not yet due so recently; notes that it is. */
function isDue(
  last: Map<string, number>,
  { id, nowMs, everyMs }: { id: string; nowMs: number; everyMs: number },
): boolean {
  if (nowMs - (last.get(id) ?? -Infinity) < everyMs) return false;
  if (last.size >= maxKnown) last.clear();
  last.set(id, nowMs);
  return true;
}

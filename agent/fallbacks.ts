import { logger } from "../log.ts";
import type { Rule } from "../manager/api.ts";
import type { Clock } from "../net/mod.ts";
import type { Counters } from "./counters.ts";

const log = logger("agent");

/** Of one intercept no more is logged than once in this time; the counters tell how many there were. */
export const quietMs = 60_000;
/** Intercepts of which it is known when they were logged. */
const maxKnown = 256;

/** Tells of what the app was given since the laptop did not take it. */
export class Fallbacks {
  readonly #counters: Counters;
  readonly #clock: Clock;
  readonly #loggedMs = new Map<string, number>();

  constructor({ counters, clock }: { counters: Counters; clock: Clock }) {
    this.#counters = counters;
    this.#clock = clock;
  }

  add({ id, name, owner }: Rule, error: unknown): void {
    this.#counters.add("fallbacks");
    const nowMs = this.#clock.now();
    if (nowMs - (this.#loggedMs.get(id) ?? -Infinity) < quietMs) return;
    if (this.#loggedMs.size >= maxKnown) this.#loggedMs.clear();
    this.#loggedMs.set(id, nowMs);
    log.warn("the laptop did not take what is its", { name, owner, error });
  }
}

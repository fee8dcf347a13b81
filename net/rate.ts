import type { Clock } from "./clock.ts";

export interface RateOptions {
  readonly clock: Clock;
  readonly perSecond: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
}

/** Bounds how often something is done. */
export class Rate {
  readonly #options: RateOptions;
  #left: number;
  #lastMs: number;

  constructor(options: RateOptions) {
    this.#options = options;
    this.#left = options.burst;
    this.#lastMs = options.clock.now();
  }

  /** Takes one; false when it is too often. */
  take(): boolean {
    const { clock, perSecond, burst } = this.#options;
    const nowMs = clock.now();
    const gained = (nowMs - this.#lastMs) / 1000 * perSecond;
    this.#left = Math.min(burst, this.#left + gained);
    this.#lastMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

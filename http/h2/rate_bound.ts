import type { Clock } from "../../net/mod.ts";
import { H2Error } from "./error.ts";

export const resetRate = { burst: 1_000, perSecond: 100 };
/** Of frames that carry nothing. */
export const idleRate = { burst: 10_000, perSecond: 5_000 };

/** Bounds how often a peer does what costs us more than it: so much at once, and so much each second. */
export class RateBound {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #what: string;
  #left: number;
  #last: number;

  constructor(
    what: string,
    options: { clock: Clock; burst: number; perSecond: number },
  ) {
    this.#what = what;
    this.#clock = options.clock;
    this.#burst = this.#left = options.burst;
    this.#perSecond = options.perSecond;
    this.#last = options.clock.now();
  }

  /** @throws {H2Error} when it is too much. */
  spend(): void {
    const now = this.#clock.now();
    const gained = (now - this.#last) / 1000 * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + gained) - 1;
    this.#last = now;
    if (this.#left < 0) throw new H2Error("calm", `too many ${this.#what}`);
  }
}

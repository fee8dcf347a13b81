import { type Clock, RefusedError } from "../../net/mod.ts";
import { Shares } from "../shares.ts";

/** Questions to the API server at a time. */
const maxProofs = 32;
/**
 * What a key may spend at once, and what comes back: a node behind whose one address hundreds of agents come at a time
 * has enough, and a stranger asks the API server 32 times and then once a second.
 */
const purse = 256;
const perSecond = 8;
const costOfProof = 1;
const costOfForbidden = 8;
/** Keys that are remembered. */
const maxKeys = 4096;

interface Spent {
  amount: number;
  atMs: number;
}

/**
 * Lets so many tokens through to the API server as it can bear, in all and under each key. Who proves what it is pays
 * little, who does not pays much; what the API server could not answer costs nothing.
 */
export class ProofGate {
  readonly #clock: Clock;
  readonly #places = new Shares(maxProofs);
  readonly #spent = new Map<string, Spent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws {RefusedError} "overloaded" when it is not asked; what `prove` throws. */
  async pass<T>(key: string, prove: () => Promise<T>): Promise<T> {
    using place = this.#places.take(key);
    if (place === undefined || this.#spentBy(key) + costOfForbidden > purse) {
      throw new RefusedError("overloaded", "Too many agents come at a time");
    }
    // As if it were forbidden until that is known: others may ask meanwhile.
    this.#spend(key, costOfForbidden);
    try {
      const proof = await prove();
      this.#spend(key, costOfProof - costOfForbidden);
      return proof;
    } catch (error) {
      const isForbidden = error instanceof RefusedError &&
        error.refusal === "forbidden";
      if (!isForbidden) this.#spend(key, -costOfForbidden);
      throw error;
    }
  }

  #spentBy(key: string): number {
    const spent = this.#spent.get(key);
    if (spent === undefined) return 0;
    const sinceMs = this.#clock.now() - spent.atMs;
    return Math.max(0, spent.amount - sinceMs * perSecond / 1000);
  }

  #spend(key: string, amount: number): void {
    const spent = Math.max(0, this.#spentBy(key) + amount);
    // The one that was heard of longest ago stands first.
    this.#spent.delete(key);
    this.#spent.set(key, { amount: spent, atMs: this.#clock.now() });
    if (this.#spent.size <= maxKeys) return;
    this.#spent.delete(this.#spent.keys().next().value!);
  }
}

import { type Clock, RefusedError } from "../../net/mod.ts";
import { Purses } from "../purses.ts";
import { Shares } from "../shares.ts";

/** Questions to the API server at a time. */
const maxProofs = 32;
/**
 * What a key may spend: a node behind whose one address hundreds of agents come at a time has enough, and a stranger asks
 * the API server 32 times and then once a second.
 */
const purse = { size: 256, perSecond: 8 };
const costOfProof = 1;
const costOfForbidden = 8;

/**
 * Lets so many tokens through to the API server as it can bear, in all and under each key. Who proves what it is pays
 * little, who does not pays much; what the API server could not answer costs nothing.
 */
export class ProofGate {
  readonly #places = new Shares(maxProofs);
  readonly #purses: Purses;

  constructor(clock: Clock) {
    this.#purses = new Purses(clock, purse);
  }

  /** @throws {RefusedError} "overloaded" when it is not asked; what `prove` throws. */
  async pass<T>(key: string, prove: () => Promise<T>): Promise<T> {
    using place = this.#places.take(key);
    // As if it were forbidden until that is known: others may ask meanwhile.
    if (place === undefined || !this.#purses.pay(key, costOfForbidden)) {
      throw new RefusedError("overloaded", "Too many agents come at a time");
    }
    try {
      const proof = await prove();
      this.#purses.spend(key, costOfProof - costOfForbidden);
      return proof;
    } catch (error) {
      const isForbidden = error instanceof RefusedError &&
        error.refusal === "forbidden";
      if (!isForbidden) this.#purses.spend(key, -costOfForbidden);
      throw error;
    }
  }
}

import type { Clock } from "../net/mod.ts";

/** Keys that are remembered. */
const maxKeys = 4096;

export interface PursesOptions {
  /** What a key may spend at once. */
  size: number;
  /** What comes back. */
  perSecond: number;
}

/** What each of many may spend, under a key such as an address: so much at once, and what comes back with time. */
export class Purses {
  readonly #clock: Pick<Clock, "now">;
  readonly #options: PursesOptions;
  readonly #spent = new Map<string, { amount: number; atMs: number }>();

  constructor(clock: Pick<Clock, "now">, options: PursesOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Whether the key has so much. */
  has(key: string, amount: number): boolean {
    return this.#spentBy(key) + amount <= this.#options.size;
  }

  /** An amount below 0 gives back. */
  spend(key: string, amount: number): void {
    const spent = Math.max(0, this.#spentBy(key) + amount);
    // The one that was heard of longest ago stands first.
    this.#spent.delete(key);
    this.#spent.set(key, { amount: spent, atMs: this.#clock.now() });
    if (this.#spent.size <= maxKeys) return;
    this.#spent.delete(this.#spent.keys().next().value!);
  }

  /** Spends the amount if the key has it. Says whether it did. */
  pay(key: string, amount: number): boolean {
    const isPaid = this.has(key, amount);
    if (isPaid) this.spend(key, amount);
    return isPaid;
  }

  #spentBy(key: string): number {
    const spent = this.#spent.get(key);
    if (spent === undefined) return 0;
    const sinceMs = this.#clock.now() - spent.atMs;
    const { perSecond } = this.#options;
    return Math.max(0, spent.amount - sinceMs * perSecond / 1000);
  }
}

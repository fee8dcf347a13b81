import { type Limits, minWindowBytes } from "./limits.ts";
import type { MemoryBudget } from "./memory_budget.ts";

/**
 * Shares one session's memory for received bytes out among its streams. What is given is a promise to the sender and
 * cannot be taken back, only returned by the stream.
 *
 * First windows take from one half of the budget, growth from the other, so that many idle streams do not keep a busy
 * one small. A first window is at most 1/64 of what its half has left, a growth at most 1/4: who comes later gets less,
 * nobody gets nothing. The same holds for a budget that several sessions share, so that one of them does not take all.
 */
export class WindowBudget {
  readonly #limits: Limits;
  readonly #parent: MemoryBudget | undefined;
  #firstLeft: number;
  #growthLeft: number;

  constructor(limits: Limits, parent?: MemoryBudget) {
    this.#limits = limits;
    this.#parent = parent;
    this.#firstLeft = this.#growthLeft = Math.floor(limits.budgetBytes / 2);
  }

  /** Bytes promised to the peer that no stream has returned. */
  get promisedBytes(): number {
    const { budgetBytes } = this.#limits;
    return Math.floor(budgetBytes / 2) * 2 - this.#firstLeft - this.#growthLeft;
  }

  /** Whether one more stream finds the window that every stream gets; what sessions share has a reserve for it. */
  get hasFirst(): boolean {
    return this.#parent?.hasReserved(minWindowBytes) ?? true;
  }

  /** The window of a stream at its start. */
  first(): number {
    const left = Math.min(this.#firstLeft, this.#parentLeft / 2);
    const window = Math.max(
      minWindowBytes,
      Math.min(this.#limits.windowBytes, Math.floor(left / 64)),
    );
    this.#firstLeft -= window;
    this.#parent?.take(window);
    return window;
  }

  /** By how much a window of `windowBytes` may grow: at most doubled, or not at all. */
  grow(windowBytes: number): number {
    const left = Math.min(this.#growthLeft, this.#parentLeft / 2);
    const growth = Math.min(
      windowBytes,
      this.#limits.maxWindowBytes - windowBytes,
      Math.floor(left / 4),
    );
    if (growth < minWindowBytes / 4) return 0;
    this.#growthLeft -= growth;
    this.#parent?.take(growth);
    return growth;
  }

  /** Gives back what {@link first} and {@link grow} gave to one stream. */
  giveBack(first: number, growth: number): void {
    this.#firstLeft += first;
    this.#growthLeft += growth;
    this.#parent?.giveBack(first + growth);
  }

  get #parentLeft(): number {
    return this.#parent?.leftBytes ?? Infinity;
  }
}

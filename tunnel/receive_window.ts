import type { WindowBudget } from "./window_budget.ts";

/** Below this a credit is not worth its frame, unless the window is as small. */
const minCreditBytes = 4 * 1024;
/** Readers are woken at the pace of an event loop: a shorter round trip than this says nothing about the window. */
const minGrowMs = 3;

/**
 * How far the peer may send on one stream. It grows while the window, and not the peer or the reader, is what limits
 * the stream: then a half of it is consumed within one round trip.
 */
export class ReceiveWindow {
  /** The offset to which the peer may send; to be told in OPEN, ACCEPT or CREDIT. */
  maySendTo: number;
  readonly #budget: WindowBudget;
  readonly #first: number;
  #windowBytes: number;
  /** Since when, and from which offset on, consumption is measured. */
  #sinceMs = -Infinity;
  #sinceOffset = 0;

  constructor(budget: WindowBudget) {
    this.#budget = budget;
    this.#first = budget.first();
    this.#windowBytes = this.#first;
    this.maySendTo = this.#first;
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** Whether a reader at `consumed` frees enough room to tell the peer: a sixteenth of the window. */
  isCreditDue(consumed: number): boolean {
    const room = consumed + this.#windowBytes - this.maySendTo;
    return room >= Math.max(this.#windowBytes >> 4, minCreditBytes);
  }

  /** Moves {@link maySendTo} on. `roundTripMs` is the shortest that was measured. */
  advance(consumed: number, nowMs: number, roundTripMs: number): void {
    if (consumed - this.#sinceOffset >= this.#windowBytes / 2) {
      const elapsedMs = nowMs - this.#sinceMs;
      if (elapsedMs <= Math.max(roundTripMs, minGrowMs)) {
        this.#windowBytes += this.#budget.grow(this.#windowBytes);
      }
      this.#sinceMs = nowMs;
      this.#sinceOffset = consumed;
    }
    this.maySendTo = consumed + this.#windowBytes;
  }

  /** Returns the window to the budget. Once. */
  giveBack(): void {
    this.#budget.giveBack(this.#first, this.#windowBytes - this.#first);
  }
}

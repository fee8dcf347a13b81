import type { Batch } from "./batch.ts";
import { headerBytes, maxDetailBytes } from "./frame.ts";
import type { ControlSender } from "./stream.ts";

const room = 2 * headerBytes + 8 + 1 + maxDetailBytes;

/** The frames that concern the whole carrier and wait for the next batch: one of each at most. */
export class Signals implements ControlSender {
  isInControlLine = false;
  #isPongDue = false;
  #pongHigh = 0;
  #pongLow = 0;
  #goaway: { reason: number; detail: string } | undefined;

  /** The answer to the last PING; one that still waits is dropped for it. */
  pong(high: number, low: number): void {
    this.#isPongDue = true;
    this.#pongHigh = high;
    this.#pongLow = low;
  }

  goaway(reason: number, detail: string): void {
    this.#goaway = { reason, detail };
  }

  emitControl(batch: Batch): boolean {
    if (batch.room < room) return false;
    if (this.#isPongDue) batch.pong(this.#pongHigh, this.#pongLow);
    if (this.#goaway !== undefined) {
      batch.goaway(this.#goaway.reason, this.#goaway.detail);
    }
    this.#isPongDue = false;
    this.#goaway = undefined;
    return true;
  }
}

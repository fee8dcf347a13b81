import type { Batch } from "./batch.ts";
import { headerBytes, maxDetailBytes } from "./frame.ts";
import type { ControlSender } from "./stream.ts";

const room = 3 * headerBytes + 8 + 8 + 1 + maxDetailBytes;

/** The frames that concern the whole session and wait for the next batch: one of each at most. */
export class Signals implements ControlSender {
  isInControlLine = false;
  #ping: number | undefined;
  #pong: { high: number; low: number } | undefined;
  #goaway: { reason: number; detail: string } | undefined;

  ping(token: number): void {
    this.#ping = token;
  }

  /** The answer to the last PING; one that still waits is dropped for it. */
  pong(high: number, low: number): void {
    this.#pong = { high, low };
  }

  goaway(reason: number, detail: string): void {
    this.#goaway = { reason, detail };
  }

  emitControl(batch: Batch): boolean {
    if (batch.room < room) return false;
    if (this.#pong !== undefined) batch.pong(this.#pong.high, this.#pong.low);
    if (this.#ping !== undefined) batch.ping(0, this.#ping);
    if (this.#goaway !== undefined) {
      batch.goaway(this.#goaway.reason, this.#goaway.detail);
    }
    this.#ping = this.#pong = this.#goaway = undefined;
    return true;
  }
}

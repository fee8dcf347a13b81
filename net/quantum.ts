/**
 * How much bulk is moved in one turn of the event loop.
 *
 * A read of bytes that are there and a write that finds room are over at once, so bulk can go from one to the next without
 * the loop ever asking for what else has come: a small request then waits for as long as bulk flows. So who moves bulk
 * tells how much, and waits for the next turn when all together have moved a quantum.
 */
import { setImmediate } from "node:timers";

/** About a millisecond of a laptop's core; small enough to be quick, large enough that turns cost nothing. */
const quantumBytes = 512 * 1024;
/** Who moves no more at a time goes on: a small write must not wait for what bulk has spent. */
const smallBytes = 4 * 1024;

export class Quantum {
  readonly #bytes: number;
  readonly #nextTurn: (then: () => void) => void;
  #spentBytes = 0;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** @param options.nextTurn Calls `then` when the event loop has looked for what else has come. */
  constructor(options: {
    bytes?: number;
    nextTurn?: (then: () => void) => void;
  } = {}) {
    this.#bytes = options.bytes ?? quantumBytes;
    this.#nextTurn = options.nextTurn ?? ((then) => void setImmediate(then));
  }

  /** `bytes` were moved. What is returned, if anything, is to be waited for before more are. */
  spend(bytes: number): Promise<void> | undefined {
    this.#spentBytes += bytes;
    if (bytes <= smallBytes) return undefined;
    if (this.#waiting === undefined) {
      if (this.#spentBytes < this.#bytes) return undefined;
      this.#waiting = Promise.withResolvers();
      this.#nextTurn(this.#begin);
    }
    return this.#waiting.promise;
  }

  readonly #begin = () => {
    this.#spentBytes = 0;
    const { resolve } = this.#waiting!;
    this.#waiting = undefined;
    resolve();
  };
}

/** Of this process: all its bulk is moved in the same turns. */
export const quantum = new Quantum();

import type { Batch } from "./batch.ts";
import { headerBytes, movePhase } from "./frame.ts";
import type { ControlSender, Stream } from "./stream.ts";

/**
 * What the dialer tells when streams move to another carrier: MOVED for each carrier that is given up, what it knows of
 * each stream, MOVED again. It may take several batches; whatever else waits in the line of control frames waits until
 * it is through.
 */
export class Mover implements ControlSender {
  isInControlLine = false;
  readonly #carriers: readonly number[];
  readonly #streams: readonly Stream[];
  #at = 0;
  #hasBegun = false;

  constructor(carriers: readonly number[], streams: readonly Stream[]) {
    this.#carriers = carriers;
    this.#streams = streams;
  }

  emitControl(batch: Batch): boolean {
    const movedBytes = this.#carriers.length * (headerBytes + 5);
    if (!this.#hasBegun) {
      if (batch.room < movedBytes) return false;
      for (const one of this.#carriers) batch.moved(one, movePhase.begins);
      this.#hasBegun = true;
    }
    for (; this.#at < this.#streams.length; this.#at++) {
      if (!this.#streams[this.#at]!.emitMove(batch)) return false;
    }
    if (batch.room < movedBytes) return false;
    for (const one of this.#carriers) batch.moved(one, movePhase.told);
    return true;
  }
}

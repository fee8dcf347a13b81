/** Who fills the next batch. */
import type { Batch } from "./batch.ts";
import type { Direct } from "./direct.ts";
import { Ring } from "./_ring.ts";
import { type ControlSender, minDataRoom, type Stream } from "./stream.ts";

export interface FillOptions {
  what: "all" | "small" | "control";
  direct?: Direct;
}

/**
 * Three lines: frames that are not data; data of urgent streams and small writes; all other data. A stream stands at
 * most once in each, so the lines are as long as there are streams, and a stream that has more to send goes to the end
 * of the last line after each frame, or a few whole ones.
 */
export class Turns {
  readonly #control = new Ring<ControlSender>();
  readonly #small = new Ring<Stream>();
  readonly #bulk = new Ring<Stream>();

  /** Puts `sender` in the line of control frames unless it is there. */
  addControl(sender: ControlSender): void {
    if (sender.isInControlLine) return;
    sender.isInControlLine = true;
    this.#control.push(sender);
  }

  /** Puts `stream` in one of the lines of data unless it is there. */
  addData(stream: Stream): void {
    if (stream.isInDataLine) return;
    stream.isInDataLine = true;
    (stream.isUrgent || stream.isSmall ? this.#small : this.#bulk).push(stream);
  }

  /** Takes `stream` out of all lines. */
  remove(stream: Stream): void {
    if (stream.isInControlLine) this.#control.remove(stream);
    if (stream.isInDataLine) {
      this.#small.remove(stream);
      this.#bulk.remove(stream);
    }
    stream.isInControlLine = stream.isInDataLine = false;
  }

  /** Forgets who is in line. */
  clear(): void {
    while (this.#control.length) this.#control.shift()!.isInControlLine = false;
    while (this.#small.length) this.#small.shift()!.isInDataLine = false;
    while (this.#bulk.length) this.#bulk.shift()!.isInDataLine = false;
  }

  /** Streams with more to send than a small write. */
  get bulkCount(): number {
    return this.#bulk.length;
  }

  /** Streams with anything to send. */
  get dataCount(): number {
    return this.#small.length + this.#bulk.length;
  }

  get controlCount(): number {
    return this.#control.length;
  }

  /** Lets the first in the line of bulk give whole frames, if it has such. */
  #fillDirect(direct: Direct): boolean {
    const stream = this.#bulk.peek();
    if (stream === undefined || !stream.emitDirect(direct)) return false;
    this.#bulk.shift();
    stream.isInDataLine = direct.wantsMore;
    if (direct.wantsMore) this.#bulk.push(stream);
    return true;
  }

  /**
   * Lets those in line append their frames until the batch is full or the lines are empty.
   *
   * @param options.what Which lines of data may: "control" none of them.
   * @param options.direct Takes what the first in the line of bulk gives as whole frames; then no other bulk is appended.
   */
  fill(batch: Batch, { what, direct }: FillOptions = { what: "all" }): void {
    for (;;) {
      const sender = this.#control.peek();
      if (sender === undefined) break;
      if (!sender.emitControl(batch)) return;
      this.#control.shift();
      sender.isInControlLine = false;
    }
    if (what === "control") return;
    this.#serve(this.#small, batch, batch.bytes.length / 2);
    if (what === "small") return;
    if (direct !== undefined && this.#fillDirect(direct)) return;
    this.#serve(this.#bulk, batch, batch.bytes.length);
    this.#serve(this.#small, batch, batch.bytes.length);
  }

  #serve(line: Ring<Stream>, batch: Batch, toLength: number): void {
    while (
      line.length > 0 && batch.length < toLength && batch.room >= minDataRoom
    ) {
      const lengthBefore = batch.length;
      const stream = line.shift()!;
      stream.isInDataLine = false;
      if (!stream.emitData(batch)) continue;
      stream.isInDataLine = true;
      (stream.isUrgent ? this.#small : this.#bulk).push(stream);
      if (batch.length === lengthBefore) return;
    }
  }
}

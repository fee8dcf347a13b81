/**
 * The writing side of a carrier.
 *
 * 1. Who has something to send gets in line (`turns.ts`); nothing is copied yet.
 * 2. At the end of the microtask, and whenever the write before has been taken, a batch is composed of what is due in
 *    that moment. So small frames share a write, nothing waits for a timer, and a late small frame passes all that
 *    is not handed to the carrier.
 * 3. One write at a time. What the carrier has not taken is at most one batch; writers wait in line.
 *    Bulk that stands in memory as whole frames is written from there, behind what else is due (`direct.ts`).
 * 4. While more is under way than the way holds (`flight.ts`), bulk stays in line, and above twice that all data.
 */
import { type Clock, type Conn, writeAll } from "../net/mod.ts";
import { type Batch, writePing } from "./batch.ts";
import { enlarge, giveBatch, isLarge, takeBatch } from "./batches.ts";
import { endWriting } from "./chunk.ts";
import { noDirect } from "./direct.ts";
import { Flight } from "./flight.ts";
import { headerBytes } from "./frame.ts";
import type { ControlSender, Stream } from "./stream.ts";
import { Turns } from "./turns.ts";

const pingBytes = headerBytes + 8;
/** How long a frame that nobody waits for may wait for company. */
const laterMs = 2;

export interface OutboxOptions {
  clock: Clock;
  /** Told once when the carrier fails to write. Nothing is sent after that. */
  onError: (error: unknown) => void;
}

export class Outbox {
  readonly flight: Flight;
  readonly #carrier: Conn;
  readonly #options: OutboxOptions;
  readonly #turns = new Turns();
  readonly #direct = noDirect();
  #isRunning = false;
  #isStopped = false;
  #isPingDue = false;
  #cancelLater: (() => void) | undefined;
  #onIdle: (() => void) | undefined;
  /** All bytes that are in batches. */
  #composedBytes = 0;
  /** Since when bulk has been in line; `undefined` when there is none. */
  #bulkSinceMs: number | undefined;
  /** All bytes that the carrier has taken. */
  sentBytes = 0;

  constructor(carrier: Conn, options: OutboxOptions) {
    this.#carrier = carrier;
    this.#options = options;
    this.flight = new Flight(options.clock);
  }

  /** Streams with more to send than a small write. */
  get bulkCount(): number {
    return this.#turns.bulkCount;
  }

  /** Since when bulk has been in line without a pause; `undefined` when there is none. */
  get bulkSinceMs(): number | undefined {
    return this.#bulkSinceMs;
  }

  /** Frames that wait, but for data. */
  get controlCount(): number {
    return this.#turns.controlCount;
  }

  get inFlightBytes(): number {
    return this.#composedBytes - this.flight.deliveredBytes;
  }

  sendControl(sender: ControlSender): void {
    if (this.#isStopped) return;
    this.#turns.addControl(sender);
    this.#wake();
  }

  /** As {@link sendControl}, for what nobody waits for: it goes with whatever is sent next, or a little later alone. */
  sendLater(sender: ControlSender): void {
    if (this.#isStopped) return;
    this.#turns.addControl(sender);
    if (this.#isRunning) return;
    this.#cancelLater ??= this.#options.clock.after(laterMs, this.#wakeLater);
  }

  sendData(stream: Stream): void {
    if (this.#isStopped) return;
    this.#turns.addData(stream);
    this.#wake();
  }

  /** Forgets `stream`, which goes to another carrier. */
  remove(stream: Stream): void {
    this.#turns.remove(stream);
    this.#noteBulk();
  }

  /** Sends PING behind what is due. */
  ping(): void {
    this.#isPingDue = true;
    this.#wake();
  }

  /** PONG came: there may be room again. */
  onPong(token: number): void {
    this.flight.onPong(token);
    if (this.#turns.dataCount > 0) this.#wake();
  }

  /** Forgets who is in line, sends a last control frame and ends the carrier's direction. Never rejects. */
  async finish(last: ControlSender): Promise<void> {
    this.#turns.clear();
    if (this.#isStopped) return;
    this.sendControl(last);
    await new Promise<void>((resolve) => this.#onIdle = resolve);
    this.#isStopped = true;
    this.#cancelLater?.();
    await this.#carrier.closeWrite().catch(() => {});
  }

  /** Nothing is sent any more. */
  stop(): void {
    this.#turns.clear();
    this.#isStopped = true;
    this.#cancelLater?.();
    this.#onIdle?.();
  }

  readonly #wakeLater = () => {
    this.#cancelLater = undefined;
    if (this.#turns.controlCount > 0) this.#wake();
  };

  #wake(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    queueMicrotask(this.#run);
  }

  readonly #run = async () => {
    let batch = takeBatch();
    try {
      for (;;) {
        if (this.#turns.bulkCount > 0) batch = enlarge(batch);
        this.#compose(batch);
        const { chunk, from, to } = this.#direct;
        if (batch.length === 0 && chunk === undefined) {
          // A long datagram may be what does not fit.
          if (isLarge(batch) || this.#turns.dataCount === 0) break;
          batch = enlarge(batch);
          continue;
        }
        try {
          if (this.#isStopped) break;
          if (batch.length > 0) {
            await this.#write(batch.bytes.subarray(0, batch.length));
          }
          if (chunk !== undefined) {
            await this.#write(chunk.bytes.subarray(from, to));
          }
        } finally {
          this.#releaseDirect();
        }
      }
      giveBatch(batch);
    } catch (error) {
      this.stop();
      this.#options.onError(error);
    }
    this.#isRunning = false;
    this.#onIdle?.();
  };

  #releaseDirect(): void {
    const { chunk } = this.#direct;
    if (chunk === undefined) return;
    this.#direct.chunk = undefined;
    endWriting(chunk);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const taken = await this.#carrier.write(bytes);
    if (taken < bytes.length) {
      await writeAll(this.#carrier, bytes.subarray(taken));
    }
    this.sentBytes += bytes.length;
  }

  #compose(batch: Batch): void {
    batch.clear();
    const { capBytes } = this.flight;
    const inFlight = this.inFlightBytes;
    const what = inFlight < capBytes
      ? "all"
      : inFlight < 2 * capBytes
      ? "small"
      : "control";
    const direct = this.#direct;
    this.#turns.fill(batch, { what, direct });
    this.#composedBytes += batch.length;
    if (direct.chunk !== undefined) {
      // Not to be used again before the carrier has taken it, even when its stream goes on at another one meanwhile.
      direct.chunk.writers++;
      this.#composedBytes += direct.to - direct.from;
    }
    const isBlocked = what !== "all" && !this.flight.isMarked;
    if (
      this.#isPingDue || isBlocked || this.flight.isMarkDue(this.#composedBytes)
    ) this.#appendPing(batch);
    this.#noteBulk();
  }

  /** Behind all that was composed: in the tail of whole frames, if there is one. */
  #appendPing(batch: Batch): void {
    const { chunk, hasTail, to } = this.#direct;
    if (chunk === undefined ? batch.room < pingBytes : !hasTail) return;
    this.#isPingDue = false;
    this.#composedBytes += pingBytes;
    const isFull = this.#turns.bulkCount > 0;
    const token = this.flight.mark(this.#composedBytes, isFull);
    if (chunk === undefined) return batch.ping(0, token);
    writePing(chunk.bytes, to, token);
    this.#direct.to += pingBytes;
  }

  #noteBulk(): void {
    if (this.#turns.bulkCount === 0) this.#bulkSinceMs = undefined;
    else this.#bulkSinceMs ??= this.#options.clock.now();
  }
}

/**
 * The writing side of a carrier.
 *
 * 1. Who has something to send gets in line (`turns.ts`); nothing is copied yet.
 * 2. At the end of the microtask, and whenever the write before has been taken, a batch is composed of what is due in
 *    that moment. So small frames share a write, nothing waits for a timer, and a late small frame passes all that
 *    is not handed to the carrier.
 * 3. One write at a time. What the carrier has not taken is at most one batch; writers wait in line.
 * 4. While more is under way than the way holds (`flight.ts`), bulk stays in line, and above twice that all data.
 */
import { type Clock, type Conn, writeAll } from "../net/mod.ts";
import { Batch } from "./batch.ts";
import { Flight } from "./flight.ts";
import { headerBytes, maxDataBytes } from "./frame.ts";
import type { ControlSender, Stream } from "./stream.ts";
import { Turns } from "./turns.ts";

/** Four full frames of data and some control frames. */
const batchBytes = 4 * (maxDataBytes + 2 * headerBytes) + 4 * 1024;
const pingBytes = headerBytes + 8;
/** Batches that no outbox uses at the moment: an idle carrier holds none. */
const spareBatches: Batch[] = [];
const spareLimit = 8;

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
  #isRunning = false;
  #isStopped = false;
  #isPingDue = false;
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

  sendData(stream: Stream): void {
    if (this.#isStopped) return;
    this.#turns.addData(stream);
    this.#wake();
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
    await this.#carrier.closeWrite().catch(() => {});
  }

  /** Nothing is sent any more. */
  stop(): void {
    this.#turns.clear();
    this.#isStopped = true;
    this.#onIdle?.();
  }

  #wake(): void {
    if (this.#isRunning || this.#isStopped) return;
    this.#isRunning = true;
    queueMicrotask(this.#run);
  }

  readonly #run = async () => {
    const batch = spareBatches.pop() ?? new Batch(batchBytes);
    try {
      for (;;) {
        this.#compose(batch);
        if (batch.length === 0 || this.#isStopped) break;
        const bytes = batch.bytes.subarray(0, batch.length);
        const taken = await this.#carrier.write(bytes);
        if (taken < bytes.length) {
          await writeAll(this.#carrier, bytes.subarray(taken));
        }
        this.sentBytes += bytes.length;
      }
      if (spareBatches.length < spareLimit) spareBatches.push(batch);
    } catch (error) {
      this.stop();
      this.#options.onError(error);
    }
    this.#isRunning = false;
    this.#onIdle?.();
  };

  #compose(batch: Batch): void {
    batch.clear();
    const { capBytes } = this.flight;
    const inFlight = this.inFlightBytes;
    const what = inFlight < capBytes
      ? "all"
      : inFlight < 2 * capBytes
      ? "small"
      : "control";
    this.#turns.fill(batch, what);
    this.#composedBytes += batch.length;
    const isBlocked = what !== "all" && !this.flight.isMarked;
    if (
      this.#isPingDue || isBlocked || this.flight.isMarkDue(this.#composedBytes)
    ) this.#appendPing(batch);
    this.#noteBulk();
  }

  #appendPing(batch: Batch): void {
    if (batch.room < pingBytes) return;
    this.#isPingDue = false;
    this.#composedBytes += pingBytes;
    const isFull = this.#turns.bulkCount > 0;
    const token = this.flight.mark(this.#composedBytes, isFull);
    batch.ping(0, token);
  }

  #noteBulk(): void {
    if (this.#turns.bulkCount === 0) this.#bulkSinceMs = undefined;
    else this.#bulkSinceMs ??= this.#options.clock.now();
  }
}

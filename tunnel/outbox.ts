/**
 * The writing side of a carrier.
 *
 * 1. Who has something to send gets in line (`turns.ts`); nothing is copied yet.
 * 2. At the end of the microtask, and whenever the write before has been taken, a batch is composed of what is due in
 *    that moment. So small frames share a write, nothing waits for a timer, and a late small frame passes all that
 *    is not handed to the carrier.
 * 3. One write at a time. What the carrier has not taken is at most one batch; writers wait in line.
 */
import { type Conn, writeAll } from "../net/mod.ts";
import { Batch } from "./batch.ts";
import { headerBytes, maxDataBytes } from "./frame.ts";
import type { ControlSender, Stream } from "./stream.ts";
import { Turns } from "./turns.ts";

/** Four full frames of data and some control frames. The seam for a cap near the bandwidth-delay product. */
const batchBytes = 4 * (maxDataBytes + 2 * headerBytes) + 4 * 1024;

export class Outbox {
  readonly #carrier: Conn;
  readonly #onError: (error: unknown) => void;
  readonly #turns = new Turns();
  readonly #batch = new Batch(batchBytes);
  #isRunning = false;
  #isStopped = false;
  #onIdle: (() => void) | undefined;
  /** All bytes that the carrier has taken. */
  sentBytes = 0;

  /** @param onError Told once when the carrier fails to write. Nothing is sent after that. */
  constructor(carrier: Conn, onError: (error: unknown) => void) {
    this.#carrier = carrier;
    this.#onError = onError;
  }

  sendControl(sender: ControlSender): void {
    this.#turns.addControl(sender);
    this.#wake();
  }

  sendData(stream: Stream): void {
    this.#turns.addData(stream);
    this.#wake();
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
    try {
      for (;;) {
        const batch = this.#batch;
        batch.clear();
        this.#turns.fill(batch);
        if (batch.length === 0 || this.#isStopped) break;
        const bytes = batch.bytes.subarray(0, batch.length);
        const taken = await this.#carrier.write(bytes);
        if (taken < bytes.length) {
          await writeAll(this.#carrier, bytes.subarray(taken));
        }
        this.sentBytes += bytes.length;
      }
    } catch (error) {
      this.stop();
      this.#onError(error);
    }
    this.#isRunning = false;
    this.#onIdle?.();
  };
}

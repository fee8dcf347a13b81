import { ConnResetError } from "../net/mod.ts";
import type { Batch } from "./batch.ts";
import { dataHeadBytes, headerBytes, maxDataBytes } from "./frame.ts";
import { ProtocolError } from "./protocol_error.ts";

const dataOverheadBytes = headerBytes + dataHeadBytes;
const endFrameBytes = headerBytes + 8;
/** A write up to this goes before larger ones. */
const smallWriteBytes = 4 * 1024;

/**
 * What one stream has to send: at most one write, which waits for credit and for its turn. Its bytes are copied once,
 * from the writer's buffer into the batch.
 */
export class Outflow {
  /** Offset after the last byte that was put into a batch. */
  sentTo = 0;
  /** Every byte below has arrived. */
  acknowledgedTo = 0;
  /** Whether END, or a RESET in its place, is sent. */
  isEndSent = false;
  #maySendTo: number;
  #bytes: Uint8Array | undefined;
  #from = 0;
  #writer: PromiseWithResolvers<number> | undefined;
  #isEnded = false;
  /** Why the flow broke off. */
  #breakage: string | undefined;

  constructor(maySendTo: number) {
    this.#maySendTo = maySendTo;
  }

  /** Whether {@link emit} would send something. */
  get isReady(): boolean {
    return this.#bytes !== undefined
      ? this.sentTo < this.#maySendTo
      : this.#isEnded && !this.isEndSent;
  }

  get isSmall(): boolean {
    return this.#bytes === undefined ||
      this.#bytes.length - this.#from <= smallWriteBytes;
  }

  /** See `Conn.write`. */
  write(bytes: Uint8Array): Promise<number> {
    if (this.#breakage !== undefined) {
      return Promise.reject(new ConnResetError(this.#breakage));
    }
    if (this.#bytes !== undefined) {
      return Promise.reject(
        new TypeError("Cannot write: a write is under way"),
      );
    }
    if (this.#isEnded) {
      return Promise.reject(new TypeError("Cannot write: the flow was ended"));
    }
    if (bytes.length === 0) return Promise.resolve(0);
    this.#bytes = bytes;
    this.#from = 0;
    this.#writer = Promise.withResolvers();
    return this.#writer.promise;
  }

  /** See `Conn.closeWrite`. */
  end(): Promise<void> {
    if (this.#breakage !== undefined) {
      return Promise.reject(new ConnResetError(this.#breakage));
    }
    this.#isEnded = true;
    return Promise.resolve();
  }

  /** Appends one frame of DATA, and END if it is due. True: {@link isReady} still. */
  emit(batch: Batch, stream: number): boolean {
    const bytes = this.#bytes;
    if (bytes !== undefined) {
      const count = Math.min(
        bytes.length - this.#from,
        maxDataBytes,
        this.#maySendTo - this.sentTo,
        batch.room - dataOverheadBytes,
      );
      if (count <= 0) return this.isReady;
      batch.data(stream, this.sentTo, bytes, this.#from, this.#from + count);
      this.#from += count;
      this.sentTo += count;
      if (this.#from === bytes.length) this.#wake(bytes.length);
    }
    if (
      this.#isEnded && this.#bytes === undefined && batch.room >= endFrameBytes
    ) {
      this.emitEnd(batch, stream);
    }
    return this.isReady;
  }

  /** Appends END unless it is sent. */
  emitEnd(batch: Batch, stream: number): void {
    if (this.isEndSent) return;
    this.isEndSent = true;
    batch.end(stream, this.sentTo);
  }

  /** @throws {ProtocolError} when more was received than sent. */
  credit(receivedTo: number, maySendTo: number): void {
    if (receivedTo > this.sentTo) {
      throw new ProtocolError(
        "bad-offset",
        `CREDIT says ${receivedTo} bytes were received of ${this.sentTo}`,
      );
    }
    this.acknowledgedTo = Math.max(this.acknowledgedTo, receivedTo);
    this.#maySendTo = Math.max(this.#maySendTo, maySendTo);
  }

  /** Nothing more is taken; a write that waits gets a ConnResetError. The first break counts. */
  break(message: string): void {
    if (this.#breakage !== undefined) return;
    this.#breakage = message;
    this.#writer?.reject(new ConnResetError(message));
    this.#writer = this.#bytes = undefined;
  }

  #wake(count: number): void {
    const writer = this.#writer!;
    this.#writer = this.#bytes = undefined;
    writer.resolve(count);
  }
}

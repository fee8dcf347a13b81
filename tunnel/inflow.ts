import { ConnResetError } from "../net/mod.ts";
import { type Chunk, giveChunk, takeChunk } from "./chunk.ts";
import { ProtocolError } from "./protocol_error.ts";
import { Ring } from "./_ring.ts";

/**
 * What one stream has received. Bytes go straight into the buffer of a reader that waits; else they wait in chunks.
 * How much may wait is the business of the credit.
 */
export class Inflow {
  /** Offset after the last byte that came. */
  receivedTo = 0;
  /** Offset after the last byte that a reader has taken. */
  consumedTo = 0;
  #chunks: Ring<Chunk> | undefined;
  #into: Uint8Array | undefined;
  #reader: PromiseWithResolvers<number | null> | undefined;
  #isEnded = false;
  /** Why the flow broke off. */
  #breakage: string | undefined;

  /** Whether the peer has sent END. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** What the peer is to be told to have arrived: END counts as one more. */
  get arrivedTo(): number {
    return this.receivedTo + (this.#isEnded ? 1 : 0);
  }

  get isDrained(): boolean {
    return this.consumedTo === this.receivedTo;
  }

  /**
   * A frame of `stream` goes on at `offset`.
   *
   * @throws {ProtocolError} when the flow does not stand there.
   */
  check(frame: "DATA" | "END", stream: number, offset: number): void {
    if (this.#isEnded) {
      throw new ProtocolError(
        "unexpected-frame",
        `${frame} after END on stream ${stream}`,
      );
    }
    if (offset !== this.receivedTo) {
      throw new ProtocolError(
        "bad-offset",
        `stream ${stream} goes on at ${offset}, not ${this.receivedTo}`,
      );
    }
  }

  /** See `Conn.read`. {@link consumedTo} may have moved when it returns. */
  read(into: Uint8Array): Promise<number | null> {
    if (this.#reader !== undefined) {
      return Promise.reject(new TypeError("Cannot read: a read is under way"));
    }
    if (this.#breakage !== undefined) {
      return Promise.reject(new ConnResetError(this.#breakage));
    }
    if (into.length === 0) return Promise.resolve(0);
    if (!this.isDrained) return Promise.resolve(this.#take(into));
    if (this.#isEnded) return Promise.resolve(null);
    this.#into = into;
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Takes the bytes `from` to `to`. {@link consumedTo} may have moved when it returns. */
  push(bytes: Uint8Array, from: number, to: number): void {
    this.receivedTo += to - from;
    if (this.#reader !== undefined) {
      const count = Math.min(this.#into!.length, to - from);
      this.#into!.set(bytes.subarray(from, from + count));
      from += count;
      this.consumedTo += count;
      this.#wake(count);
    }
    if (from < to) this.#keep(bytes, from, to);
  }

  /** The peer sends no more. What waits can still be read. */
  end(): void {
    this.#isEnded = true;
    this.#wake(null);
  }

  /** The flow broke off: what waits is dropped, readers get a ConnResetError. The first break counts. */
  break(message: string): void {
    if (this.#breakage !== undefined) return;
    this.#breakage = message;
    this.consumedTo = this.receivedTo;
    while (this.#chunks?.length) giveChunk(this.#chunks.shift()!);
    this.#reader?.reject(new ConnResetError(message));
    this.#reader = this.#into = undefined;
  }

  #wake(result: number | null): void {
    this.#reader?.resolve(result);
    this.#reader = this.#into = undefined;
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    this.#chunks ??= new Ring();
    let chunk = this.#chunks.last();
    while (from < to) {
      if (chunk === undefined || chunk.to === chunk.bytes.length) {
        chunk = takeChunk(to - from);
        this.#chunks.push(chunk);
      }
      const count = Math.min(to - from, chunk.bytes.length - chunk.to);
      chunk.bytes.set(bytes.subarray(from, from + count), chunk.to);
      chunk.to += count;
      from += count;
    }
  }

  #take(into: Uint8Array): number {
    let at = 0;
    for (;;) {
      const chunk = this.#chunks!.peek();
      if (chunk === undefined || at === into.length) break;
      const count = Math.min(chunk.to - chunk.from, into.length - at);
      into.set(chunk.bytes.subarray(chunk.from, chunk.from + count), at);
      chunk.from += count;
      at += count;
      if (chunk.from === chunk.to) giveChunk(this.#chunks!.shift()!);
    }
    this.consumedTo += at;
    return at;
  }
}

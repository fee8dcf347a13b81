import { ConnResetError } from "../net/mod.ts";
import { type Batch, writeDataHead } from "./batch.ts";
import { frameChunkBytes, frameHeadBytes, placeIn, runOf } from "./chunk.ts";
import type { Direct } from "./direct.ts";
import { dataHeadBytes, headerBytes, maxDataBytes } from "./frame.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import { ProtocolError } from "./protocol_error.ts";
import { Replay } from "./replay.ts";

const dataOverheadBytes = headerBytes + dataHeadBytes;
const endFrameBytes = headerBytes + 16;
/** What waits up to this goes before larger amounts. */
const smallBytes = 4 * 1024;
/** So many bytes may wait for their turn; a writer with more waits itself. */
const lookaheadBytes = 256 * 1024;

/**
 * What one stream sends. A write is over as soon as all its bytes are taken in, within the credit and the budget; they
 * are kept until the peer has acknowledged them, and sent again when their carrier was lost.
 */
export class Outflow {
  /** Whether END is sent and was not lost, as far as known. */
  isEndSent = false;
  /** Whether the peer has END, and so everything. */
  isEndAcknowledged = false;
  readonly #replay: Replay;
  #maySendTo: number;
  /** The write that waits for room, and how much of it is taken in. */
  #bytes: Uint8Array | undefined;
  #at = 0;
  #writer: PromiseWithResolvers<number> | undefined;
  #isEnded = false;
  /** Why the flow broke off. */
  #breakage: string | undefined;

  constructor(budget: MemoryBudget, maySendTo: number) {
    this.#replay = new Replay(budget);
    this.#maySendTo = maySendTo;
  }

  /** Whether {@link emit} would send something. */
  get isReady(): boolean {
    return this.#replay.sendOffset < this.#replay.to || this.#isEndDue;
  }

  get isSmall(): boolean {
    return this.#replay.to - this.#replay.sendOffset <= smallBytes &&
      this.#bytes === undefined;
  }

  /** Whether a write waits for nothing but the memory of what is not acknowledged. */
  get isStarved(): boolean {
    const { to, sendOffset } = this.#replay;
    return this.#bytes !== undefined && sendOffset === to &&
      to < this.#maySendTo;
  }

  /** Offset up to which the peer is known to have all. */
  get acknowledgedTo(): number {
    return this.#replay.from;
  }

  /** Bytes that are kept. */
  get keptBytes(): number {
    return this.#replay.to - this.#replay.from;
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
    const taken = this.#take(bytes, 0);
    if (taken === bytes.length) return Promise.resolve(taken);
    this.#bytes = bytes;
    this.#at = taken;
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

  /**
   * Nothing more is taken: a write that waits gets a ConnResetError. What was taken in is still sent, and END behind it.
   */
  leave(message: string): void {
    if (this.#breakage !== undefined) return;
    this.#breakage = message;
    this.#isEnded = true;
    this.#dropWriter(message);
  }

  /** The flow broke off: all is forgotten. The first break counts. */
  break(message: string): void {
    this.leave(message);
    this.#replay.clear();
    this.isEndSent = this.isEndAcknowledged = true;
  }

  /**
   * Appends one frame of DATA, and END if it is due: it tells that the other direction was received to `receivedTo`.
   * True: {@link isReady} still.
   */
  emit(batch: Batch, stream: number, receivedTo: number): boolean {
    const chunk = this.#replay.next();
    if (chunk !== undefined) {
      const { sendAt, sendOffset } = this.#replay;
      const count = Math.min(
        runOf(chunk, sendAt, chunk.to),
        maxDataBytes,
        batch.room - dataOverheadBytes,
      );
      if (count <= 0) return true;
      const at = placeIn(chunk, sendAt);
      batch.data(stream, sendOffset, chunk.bytes, at, at + count);
      this.#replay.sent(count);
      if (this.#bytes !== undefined) this.#takeMore();
    }
    if (this.#isEndDue && batch.room >= endFrameBytes) {
      this.isEndSent = true;
      batch.end(stream, this.#replay.to, receivedTo);
    }
    return this.isReady;
  }

  /** Gives whole frames, that need not be copied, if that is what comes next. */
  emitDirect(direct: Direct, stream: number): boolean {
    const chunk = this.#replay.next();
    if (chunk === undefined || !chunk.hasFrames) return false;
    // The carrier that the stream has left is still being given it: the PING in its tail is not to be written over.
    if (chunk.writers > 0) return false;
    const { sendAt } = this.#replay;
    const frames = Math.floor((chunk.to - sendAt) / maxDataBytes);
    if (sendAt % maxDataBytes !== 0 || frames === 0) return false;
    direct.chunk = chunk;
    direct.from = direct.to = placeIn(chunk, sendAt) - frameHeadBytes;
    for (let i = 0; i < frames; i++) {
      const { sendOffset } = this.#replay;
      writeDataHead(chunk.bytes, direct.to, { stream, offset: sendOffset });
      direct.to += frameHeadBytes + maxDataBytes;
      this.#replay.sent(maxDataBytes);
    }
    direct.hasTail = this.#replay.sendAt === frameChunkBytes;
    if (this.#bytes !== undefined) this.#takeMore();
    direct.wantsMore = this.isReady;
    return true;
  }

  /**
   * The peer has all below `receivedTo`, END counting as one more, and takes all below `maySendTo`.
   *
   * @throws {ProtocolError} when more was received than sent.
   */
  credit(receivedTo: number, maySendTo: number): void {
    const sentTo = this.#replay.sendOffset + (this.isEndSent ? 1 : 0);
    if (receivedTo > sentTo && this.#breakage === undefined) {
      throw new ProtocolError(
        "bad-offset",
        `the peer says it has ${receivedTo} bytes of ${sentTo}`,
      );
    }
    this.#acknowledge(receivedTo);
    this.#maySendTo = Math.max(this.#maySendTo, maySendTo);
    if (this.#bytes !== undefined) this.#takeMore();
  }

  /**
   * The stream goes on at another carrier: as {@link credit}, and all that the peer does not have is sent again.
   * Returns how many bytes these are.
   */
  rewind(receivedTo: number, maySendTo: number): number {
    if (receivedTo < this.#replay.from && !this.isEndAcknowledged) {
      throw new ProtocolError(
        "bad-offset",
        `the peer says it has ${receivedTo} bytes, and said ${this.#replay.from}`,
      );
    }
    this.credit(receivedTo, maySendTo);
    if (this.isEndAcknowledged) return 0;
    const again = this.#replay.sendOffset - this.#replay.from;
    this.#replay.rewind(this.#replay.from);
    this.isEndSent = false;
    return again;
  }

  get #isEndDue(): boolean {
    return this.#isEnded && !this.isEndSent &&
      this.#replay.sendOffset === this.#replay.to &&
      this.#bytes === undefined;
  }

  #acknowledge(receivedTo: number): void {
    if (this.isEndAcknowledged) return;
    if (this.isEndSent && receivedTo > this.#replay.to) {
      this.isEndAcknowledged = true;
    }
    const offset = Math.min(receivedTo, this.#replay.sendOffset);
    if (offset > this.#replay.from) this.#replay.acknowledge(offset);
  }

  #take(bytes: Uint8Array, from: number): number {
    const { to, sendOffset } = this.#replay;
    const room = Math.min(
      this.#maySendTo - to,
      lookaheadBytes - (to - sendOffset),
      bytes.length - from,
    );
    return room <= 0 ? 0 : this.#replay.push(bytes, from, from + room);
  }

  #takeMore(): void {
    const bytes = this.#bytes!;
    this.#at += this.#take(bytes, this.#at);
    if (this.#at < bytes.length) return;
    const writer = this.#writer!;
    this.#writer = this.#bytes = undefined;
    writer.resolve(bytes.length);
  }

  #dropWriter(message: string): void {
    this.#writer?.reject(new ConnResetError(message));
    this.#writer = this.#bytes = undefined;
  }
}

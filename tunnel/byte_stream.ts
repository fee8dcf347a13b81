import type { Conn } from "../net/mod.ts";
import type { Batch } from "./batch.ts";
import { maxDetailBytes, type ResetReason, resetReason } from "./frame.ts";
import { Inflow } from "./inflow.ts";
import { Outflow } from "./outflow.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { ReceiveWindow } from "./receive_window.ts";
import { Stream, type StreamHost } from "./stream.ts";

/** ACCEPT, CREDIT, END and the longest RESET. */
const controlRoom = 16 + 24 + 16 + 9 + maxDetailBytes;

export interface ByteStreamOptions {
  id: number;
  isUrgent: boolean;
  /** The first credit that the peer gave. */
  maySendTo: number;
  window: ReceiveWindow;
  /** True when the peer opened it and waits for ACCEPT. */
  isAcceptDue: boolean;
}

/**
 * An accepted stream of bytes.
 *
 * It stays in the table until both directions have ended and all was read, or it broke off and the other end was told.
 */
export class ByteStream extends Stream implements Conn {
  readonly #host: StreamHost;
  readonly #window: ReceiveWindow;
  readonly #inflow = new Inflow();
  readonly #outflow: Outflow;
  #isAcceptDue: boolean;
  #isCreditDue = false;
  #resetDue: ResetReason | undefined;
  #isEndReceived = false;
  #isClosed = false;
  #isOver = false;

  constructor(host: StreamHost, options: ByteStreamOptions) {
    super(options.id, options.isUrgent);
    this.#host = host;
    this.#window = options.window;
    this.#outflow = new Outflow(options.maySendTo);
    this.#isAcceptDue = options.isAcceptDue;
  }

  override get isSmall(): boolean {
    return this.#outflow.isSmall;
  }

  override get unreadBytes(): number {
    return this.#inflow.receivedTo - this.#inflow.consumedTo;
  }

  read(into: Uint8Array): Promise<number | null> {
    const read = this.#inflow.read(into);
    this.#afterConsumption();
    return read;
  }

  write(bytes: Uint8Array): Promise<number> {
    const written = this.#outflow.write(bytes);
    if (this.#outflow.isReady) this.#host.sendData(this);
    return written;
  }

  closeWrite(): Promise<void> {
    const ended = this.#outflow.end();
    if (this.#outflow.isReady) this.#host.sendData(this);
    return ended;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#break("Cannot go on: the flow was closed by this end");
    if (this.#isOver) return;
    this.#resetDue = resetReason.closed;
    this.#host.sendControl(this);
  }

  reset(): void {
    if (this.#isOver || this.#resetDue === resetReason.broken) return;
    this.#isClosed = true;
    this.#break("Cannot go on: the flow was reset by this end");
    this.#resetDue = resetReason.broken;
    this.#host.sendControl(this);
  }

  override emitControl(batch: Batch): boolean {
    if (this.#isOver) return true;
    if (batch.room < controlRoom) return false;
    if (this.#isAcceptDue) {
      this.#isAcceptDue = false;
      batch.accept(this.id, this.#window.maySendTo);
    }
    if (this.#resetDue !== undefined) {
      this.#emitReset(batch, this.#resetDue);
    } else if (this.#isCreditDue && !this.#isEndReceived) {
      this.#isCreditDue = false;
      const { consumedTo, receivedTo } = this.#inflow;
      const { leastRoundTripMs } = this.#host;
      this.#window.advance(consumedTo, this.#host.nowMs(), leastRoundTripMs);
      batch.credit(this.id, receivedTo, this.#window.maySendTo);
    }
    return true;
  }

  override emitData(batch: Batch): boolean {
    if (this.#isOver || this.#resetDue !== undefined) return false;
    const wantsMore = this.#outflow.emit(batch, this.id);
    this.#finishWhenOver();
    return wantsMore;
  }

  override onData(
    offset: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    if (this.#isEndReceived) {
      throw new ProtocolError(
        "unexpected-frame",
        `DATA after END on stream ${this.id}`,
      );
    }
    this.#checkOffset(offset);
    if (offset + to - from > this.#window.maySendTo) {
      throw new ProtocolError(
        "over-credit",
        `stream ${this.id} sent more than its credit`,
      );
    }
    if (this.#isClosed) {
      this.#inflow.receivedTo = this.#inflow.consumedTo += to - from;
      return;
    }
    this.#inflow.push(bytes, from, to);
    this.#afterConsumption();
  }

  override onCredit(receivedTo: number, maySendTo: number): void {
    this.#outflow.credit(receivedTo, maySendTo);
    if (this.#outflow.isReady) this.#host.sendData(this);
  }

  override onEnd(offset: number): void {
    if (this.#isEndReceived) {
      throw new ProtocolError(
        "unexpected-frame",
        `a second END on stream ${this.id}`,
      );
    }
    this.#checkOffset(offset);
    this.#isEndReceived = true;
    this.#inflow.end();
    this.#finishWhenOver();
  }

  override onReset(reason: number, detail: string): void {
    this.#peerLeft(
      `Cannot go on: the flow broke off: ${detail || "reset by the peer"}`,
      reason === resetReason.closed,
    );
  }

  override onSessionEnd(detail: string): void {
    this.#peerLeft(`Cannot go on: the session ended: ${detail}`, true);
  }

  /** No frame can be of use any more. What was received up to an END may stay readable. */
  #peerLeft(message: string, keepsReceived: boolean): void {
    this.#outflow.break(message);
    this.#outflow.isEndSent = true;
    this.#resetDue = undefined;
    if (!keepsReceived || !this.#isEndReceived) this.#break(message);
    if (this.#inflow.isDrained) this.#finish();
  }

  #checkOffset(offset: number): void {
    if (offset !== this.#inflow.receivedTo) {
      throw new ProtocolError(
        "bad-offset",
        `stream ${this.id} goes on at ${offset}, not ${this.#inflow.receivedTo}`,
      );
    }
  }

  #afterConsumption(): void {
    if (this.#isOver) return;
    if (this.#isEndReceived) {
      this.#finishWhenOver();
    } else if (
      !this.#isCreditDue && this.#window.isCreditDue(this.#inflow.consumedTo)
    ) {
      this.#isCreditDue = true;
      this.#host.sendControl(this);
    }
  }

  /** RESET broken at once; RESET closed behind END, and only if the peer may still send. */
  #emitReset(batch: Batch, reason: ResetReason): void {
    if (reason === resetReason.closed) {
      this.#outflow.emitEnd(batch, this.id);
      if (!this.#isEndReceived) batch.reset(this.id, reason, "");
    } else {
      batch.reset(this.id, reason, "the flow behind the other end broke off");
    }
    this.#finish();
  }

  #break(message: string): void {
    this.#inflow.break(message);
    this.#outflow.break(message);
  }

  #finishWhenOver(): void {
    if (
      this.#isEndReceived && this.#outflow.isEndSent && this.#inflow.isDrained
    ) {
      this.#finish();
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#window.giveBack();
    this.#host.remove(this);
  }
}

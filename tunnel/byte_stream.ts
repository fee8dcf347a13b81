import type { Conn } from "../net/mod.ts";
import type { Batch } from "./batch.ts";
import type { Direct } from "./direct.ts";
import { maxDetailBytes, type ResetReason, resetReason } from "./frame.ts";
import { Inflow } from "./inflow.ts";
import { Outflow } from "./outflow.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { ReceiveWindow } from "./receive_window.ts";
import { Stream, type StreamHost } from "./stream.ts";

/** ACCEPT, RESUME or CREDIT, END and the longest RESET. */
const controlRoom = 16 + 24 + 24 + 9 + maxDetailBytes;
const leaveBytes = 9;

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
 * It stays in the table until both directions have ended, each end knows that the other has all, and all was read; or
 * it broke off and the other end was told.
 */
export class ByteStream extends Stream implements Conn {
  readonly #host: StreamHost;
  readonly #window: ReceiveWindow;
  readonly #inflow = new Inflow();
  readonly #outflow: Outflow;
  #isAcceptDue: boolean;
  #isResumeDue = false;
  #isCreditDue = false;
  #resetDue: ResetReason | undefined;
  /** What the peer was told to have arrived, END counting as one more. */
  #toldReceivedTo = 0;
  /** Nothing that comes is of use: this end has closed. */
  #isClosed = false;
  /** RESET closed is sent and not known to be lost. */
  #isLeaveSent = false;
  /** No frame can be sent any more. */
  #isSessionOver = false;
  #isOver = false;

  constructor(host: StreamHost, options: ByteStreamOptions) {
    super(options.id, options.isUrgent);
    this.#host = host;
    this.#window = options.window;
    this.#outflow = new Outflow(host.kept, options.maySendTo);
    this.#isAcceptDue = options.isAcceptDue;
  }

  override get isSmall(): boolean {
    return this.#outflow.isSmall;
  }

  override get unreadBytes(): number {
    return this.#inflow.receivedTo - this.#inflow.consumedTo;
  }

  override get mayChange(): boolean {
    return this.movesFrom === undefined && !this.#isOver;
  }

  override get movedBytes(): number {
    return this.#inflow.receivedTo + this.#outflow.acknowledgedTo;
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
    const message = "Cannot go on: the flow was closed by this end";
    this.#inflow.break(message);
    this.#outflow.leave(message);
    if (this.#isOver) return;
    this.#finishWhenOver();
    if (!this.#isOver) this.#host.sendData(this);
  }

  reset(): void {
    if (this.#isOver || this.#resetDue !== undefined) return;
    this.#isClosed = true;
    this.#break("Cannot go on: the flow was reset by this end");
    if (this.#isSessionOver) return this.#finish();
    this.#resetDue = resetReason.broken;
    this.#host.sendControl(this);
  }

  override emitControl(batch: Batch): boolean {
    if (this.#isOver || this.movesFrom !== undefined) return true;
    if (batch.room < controlRoom) return false;
    if (this.#isAcceptDue) {
      this.#isAcceptDue = false;
      batch.accept(this.id, this.#window.maySendTo);
    }
    // Before all else: a dialer that moves the stream alone takes nothing but RESUME for an answer.
    if (this.#isResumeDue) this.#emitResume(batch);
    if (this.#resetDue !== undefined) {
      const detail = "the flow behind the other end broke off";
      batch.reset(this.id, this.#resetDue, detail);
      this.#finish();
      return true;
    }
    if (this.#isCreditDue) {
      this.#advance();
      batch.credit(this.id, this.#toldReceivedTo, this.#window.maySendTo);
    }
    this.#finishWhenOver();
    return true;
  }

  override emitData(batch: Batch): boolean {
    if (this.#isOver || this.#resetDue !== undefined) return false;
    if (this.movesFrom !== undefined) return false;
    const hadEnded = this.#outflow.isEndSent;
    const wantsMore = this.#outflow.emit(
      batch,
      this.id,
      this.#inflow.arrivedTo,
    );
    if (this.#outflow.isStarved) this.carrier!.probe();
    if (!this.#outflow.isEndSent) return wantsMore;
    if (!hadEnded) this.#toldReceivedTo = this.#inflow.arrivedTo;
    const hasLeft = this.#emitLeave(batch);
    this.#finishWhenOver();
    return !hasLeft;
  }

  override emitDirect(direct: Direct): boolean {
    if (this.#isOver || this.#resetDue !== undefined) return false;
    if (this.movesFrom !== undefined) return false;
    if (!this.#outflow.emitDirect(direct, this.id)) return false;
    if (this.#outflow.isStarved) this.carrier!.probe();
    return true;
  }

  override emitMove(batch: Batch): boolean {
    if (this.#isOver) return true;
    if (batch.room < controlRoom) return false;
    // Where a stream that changed is for the peer is known when RESUME is answered: then RESET is sent.
    if (this.#resetDue === undefined || this.hasChanged) {
      this.#emitResume(batch);
    } else {
      batch.reset(this.id, this.#resetDue, "");
      this.#finish();
    }
    return true;
  }

  override acknowledge(): void {
    if (this.#isOver || this.#toldReceivedTo === this.#inflow.arrivedTo) return;
    this.#isCreditDue = true;
    this.#host.sendLater(this);
  }

  override onData(
    offset: number,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    this.#inflow.check("DATA", this.id, offset);
    if (offset + to - from > this.#window.maySendTo) {
      throw new ProtocolError(
        "over-credit",
        `stream ${this.id} sent more than its credit`,
      );
    }
    if (!this.isOwing) this.carrier!.owe(this);
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
    this.#finishWhenOver();
  }

  override onResume(
    receivedTo: number,
    maySendTo: number,
    isAnswerDue: boolean,
  ): void {
    this.arrive();
    this.#host.resent(this.#outflow.rewind(receivedTo, maySendTo));
    this.#isResumeDue = isAnswerDue;
    this.#isAcceptDue = false;
    this.#goOn();
  }

  override onOpenAgain(): void {
    this.movesFrom = undefined;
    this.#host.resent(this.#outflow.rewind(0, 0));
    this.#isAcceptDue = true;
    this.#goOn();
  }

  override onEnd(offset: number, receivedTo: number): void {
    this.#inflow.check("END", this.id, offset);
    this.#inflow.end();
    this.#outflow.credit(receivedTo, 0);
    // An END of this end that is still to come acknowledges it, too.
    if (this.#outflow.isEndSent) this.acknowledge();
    else if (!this.isOwing) this.carrier!.owe(this);
    this.#finishWhenOver();
  }

  override onReset(reason: number, detail: string): void {
    this.movesFrom = undefined;
    this.#isResumeDue = false;
    const message = `Cannot go on: the flow broke off: ${
      detail || "reset by the peer"
    }`;
    const isClean = this.#inflow.isEnded &&
      (reason === resetReason.closed || reason === resetReason.over);
    this.#peerLeft(message, isClean);
    // The other end waits to hear that its last bytes have come.
    if (isClean && !this.#isOver) this.acknowledge();
    this.#finishWhenOver();
  }

  override onForgotten(): void {
    this.#toldReceivedTo = this.#inflow.arrivedTo;
    this.onReset(resetReason.over, "it is over at the other end");
    this.#finishWhenOver();
  }

  override onSessionEnd(detail: string): void {
    this.#isSessionOver = true;
    this.movesFrom = undefined;
    this.#isResumeDue = false;
    this.#toldReceivedTo = this.#inflow.arrivedTo;
    this.#peerLeft(`Cannot go on: the session ended: ${detail}`, true);
    this.#finishWhenOver();
  }

  /** Nothing that is sent can be of use any more. What was received up to an END may stay readable. */
  #peerLeft(message: string, keepsReceived: boolean): void {
    this.#outflow.break(message);
    this.#resetDue = undefined;
    if (keepsReceived && this.#inflow.isEnded) return;
    this.#inflow.break(message);
    this.#finish();
  }

  /** The stream has its place at a carrier again: what is due is due there. */
  #goOn(): void {
    this.#isLeaveSent = false;
    this.#host.sendControl(this);
    if (this.#outflow.isReady || this.#isClosed) this.#host.sendData(this);
  }

  #afterConsumption(): void {
    if (this.#isOver) return;
    if (this.#inflow.isEnded) {
      this.#finishWhenOver();
    } else if (
      !this.#isCreditDue && this.#window.isCreditDue(this.#inflow.consumedTo)
    ) {
      this.#isCreditDue = true;
      this.#host.sendControl(this);
    }
  }

  #emitResume(batch: Batch): void {
    this.#isResumeDue = false;
    this.#advance();
    batch.resume(this.id, this.#toldReceivedTo, this.#window.maySendTo);
  }

  /** Brings up to date what the peer is about to be told. */
  #advance(): void {
    this.#isCreditDue = false;
    const { consumedTo } = this.#inflow;
    const leastRoundTripMs = this.carrier!.leastRoundTripMs;
    this.#window.advance(consumedTo, this.#host.nowMs(), leastRoundTripMs);
    this.#toldReceivedTo = this.#inflow.arrivedTo;
  }

  /** Behind END, RESET closed if this end has left and the peer may still send. False: it does not fit. */
  #emitLeave(batch: Batch): boolean {
    if (!this.#isClosed || this.#inflow.isEnded || this.#isLeaveSent) {
      return true;
    }
    if (batch.room < leaveBytes) return false;
    this.#isLeaveSent = true;
    batch.reset(this.id, resetReason.closed, "");
    return true;
  }

  #break(message: string): void {
    this.#inflow.break(message);
    this.#outflow.break(message);
  }

  /** Not while it moves, or RESUME is to be answered: whoever knows it at the other end is to hear so first. */
  #finishWhenOver(): void {
    if (this.movesFrom !== undefined || this.#isResumeDue) return;
    const hasSentAll = this.#outflow.isEndAcknowledged &&
      this.#resetDue === undefined;
    if (!hasSentAll || !this.#inflow.isDrained) return;
    const hasReceivedAll = this.#inflow.isEnded || this.#isLeaveSent;
    const hasAcknowledged = this.#toldReceivedTo === this.#inflow.arrivedTo ||
      this.#isLeaveSent;
    if (hasReceivedAll && hasAcknowledged) this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outflow.break("Cannot go on: the flow is over");
    this.#window.giveBack();
    this.#host.remove(this);
  }
}

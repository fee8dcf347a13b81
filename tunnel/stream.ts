/** What all streams have in common, whatever their state. */
import type { Batch } from "./batch.ts";
import type { Refusal } from "../net/mod.ts";
import type { Carrier } from "./carrier.ts";
import type { Direct } from "./direct.ts";
import type { DatagramBudget } from "./datagram_queue.ts";
import type { Limits } from "./limits.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { WindowBudget } from "./window_budget.ts";

/** Something with frames that go before all data. */
export interface ControlSender {
  /** Kept by `turns.ts`: it is in line already. */
  isInControlLine: boolean;
  /** Appends all its due frames. False: they do not fit, another batch is wanted for them. */
  emitControl(batch: Batch): boolean;
}

/** What a stream asks of its session. */
export interface StreamHost {
  readonly limits: Limits;
  readonly windows: WindowBudget;
  readonly datagrams: DatagramBudget;
  /** For bytes that are kept until they are acknowledged. */
  readonly kept: MemoryBudget;
  /** See `Clock.now`. */
  nowMs(): number;
  /** Takes the next id of this end for `stream` and puts it into the table. */
  assignId(stream: Stream): number;
  /** Puts `stream` into the table in place of the one with its id. */
  replace(stream: Stream): void;
  /** Takes `stream` out of the table: it is over and nothing is left to send, to read or to be acknowledged. */
  remove(stream: Stream): void;
  /** {@link Stream.emitControl} will be called, as soon as the stream has a carrier. */
  sendControl(stream: Stream): void;
  /** As {@link sendControl}, for frames that nobody waits for. */
  sendLater(stream: Stream): void;
  /** {@link Stream.emitData} will be called, as soon as the stream has a carrier. */
  sendData(stream: Stream): void;
  /** So many bytes are sent a second time. */
  resent(bytes: number): void;
}

/**
 * One entry of the table of streams. A stream is an opening until it is accepted, then it is one of bytes or of
 * datagrams: each is a class of its own. What a state does not expect is a breach.
 */
export abstract class Stream implements ControlSender {
  /** 0 while OPEN is not sent. */
  id: number;
  readonly isUrgent: boolean;
  isInControlLine = false;
  /** Kept by `turns.ts`: it is in line already. */
  isInDataLine = false;
  /** Kept by the carrier: it will be asked to acknowledge. */
  isOwing = false;
  /** On which its frames come and go; undefined while there is none to send OPEN on. */
  carrier: Carrier | undefined;
  /** The number of the carrier from which the stream is being moved. Until both ends know where they stand, it sends nothing. */
  movesFrom: number | undefined;
  /** It once went alone to another carrier: what comes late on the one before is dropped. */
  hasChanged = false;
  /** Kept by `balance.ts`: {@link movedBytes} at its last look, and at how many looks in a row the stream was bulk. */
  seenBytes = 0;
  bulkLooks = 0;
  /** Kept by `balance.ts`: when it was bulk last, and when it was sent to another carrier last. */
  lastBulkMs = -Infinity;
  lastSentMs = -Infinity;

  constructor(id: number, isUrgent: boolean) {
    this.id = id;
    this.isUrgent = isUrgent;
  }

  /** Whether what waits is so small that it goes before larger writes. */
  get isSmall(): boolean {
    return true;
  }

  /** Received bytes that no reader has consumed. */
  get unreadBytes(): number {
    return 0;
  }

  /** Whether it can go to another carrier alone: an accepted stream of bytes that does not move. */
  get mayChange(): boolean {
    return false;
  }

  /** Bytes that have come, and those that the peer is known to have. */
  get movedBytes(): number {
    return 0;
  }

  abstract emitControl(batch: Batch): boolean;

  /** Appends about one frame, in a batch with {@link minDataRoom}. True: another turn is wanted at once. */
  emitData(_batch: Batch): boolean {
    return false;
  }

  /**
   * The stream moves from the carrier of this number. True: it sends nothing until both ends know where they stand;
   * false: it speaks at once.
   */
  hold(carrier: number): boolean {
    this.movesFrom = carrier;
    return true;
  }

  /** Goes to `to` alone. */
  change(to: Carrier): void {
    const from = this.carrier!;
    from.detach(this);
    this.hold(from.number);
    this.hasChanged = true;
    this.carrier = to;
  }

  /** Gives whole frames that stand in memory as they are sent, if that is what comes next. */
  emitDirect(_direct: Direct): boolean {
    return false;
  }

  /** Sees to it that the peer hears what was received, unless it has heard. */
  acknowledge(): void {}

  /**
   * The dialer tells what it knows of a stream that moves: appends RESUME, the same OPEN again, RESET, or nothing when
   * the acceptor is to speak first. False: it does not fit.
   */
  abstract emitMove(batch: Batch): boolean;

  onAccept(_maySendTo: number): void {
    this.#unexpected("ACCEPT");
  }

  onRefuse(_refusal: Refusal, _detail: string): void {
    this.#unexpected("REFUSE");
  }

  onData(_offset: number, _bytes: Uint8Array, _from: number, _to: number) {
    this.#unexpected("DATA");
  }

  onDatagram(_bytes: Uint8Array, _from: number, _to: number): void {
    this.#unexpected("DATAGRAM");
  }

  onCredit(_receivedTo: number, _maySendTo: number): void {
    this.#unexpected("CREDIT");
  }

  /** @param isAnswerDue The peer moves the stream and is to be told the same. */
  onResume(
    _receivedTo: number,
    _maySendTo: number,
    _isAnswerDue: boolean,
  ): void {
    this.#unexpected("RESUME");
  }

  /** The OPEN of this stream has come a second time, as its answer was lost. */
  onOpenAgain(): void {
    this.#unexpected("OPEN");
  }

  onEnd(_offset: number, _receivedTo: number): void {
    this.#unexpected("END");
  }

  abstract onReset(reason: number, detail: string): void;

  /** The stream was moved and the peer did not tell of it: there it is over. */
  onForgotten(): void {
    this.onReset(0, "it is over at the other end");
  }

  /** The session has ended, and the stream with it. No frame is sent any more. */
  abstract onSessionEnd(detail: string): void;

  /**
   * RESUME has come: the stream has its place again.
   *
   * @throws {ProtocolError} when it was not on its way.
   */
  protected arrive(): void {
    if (this.movesFrom === undefined) this.#unexpected("RESUME");
    this.movesFrom = undefined;
  }

  #unexpected(frame: string): never {
    throw new ProtocolError(
      "unexpected-frame",
      `${frame} does not fit the state of stream ${this.id}`,
    );
  }
}

/** Room that {@link Stream.emitData} can rely on. */
export const minDataRoom = 4 * 1024;

import { type Datagrams, RefusedError } from "../net/mod.ts";
import type { Batch } from "./batch.ts";
import { DatagramQueue } from "./datagram_queue.ts";
import { headerBytes, maxDatagramBytes, resetReason } from "./frame.ts";
import { Stream, type StreamHost } from "./stream.ts";

/** What one turn sends at most before it is another stream's: many small datagrams, or one large. */
const turnBytes = 16 * 1024;
const smallDatagramBytes = 2 * 1024;
const controlRoom = 64;

/** An accepted stream of datagrams. */
export class DatagramStream extends Stream implements Datagrams {
  readonly #host: StreamHost;
  readonly #incoming: DatagramQueue;
  readonly #outgoing: DatagramQueue;
  #receiver: PromiseWithResolvers<number | null> | undefined;
  #into: Uint8Array | undefined;
  /** Instead of {@link #into}. */
  #taker: ((bytes: Uint8Array) => void) | undefined;
  #isAcceptDue: boolean;
  #isResumeDue = false;
  /** Ended by either end: nothing is taken in or received any more. */
  #isEnded = false;
  #isEndReceived = false;
  #isOver = false;
  /** RESET instead of END. */
  #resetDue: number | undefined;
  /** What the peer said when it ended the flow. */
  #refusal: RefusedError | undefined;

  /** @param isAcceptDue True when the peer opened it and waits for ACCEPT. */
  constructor(
    host: StreamHost,
    id: number,
    isUrgent: boolean,
    isAcceptDue: boolean,
  ) {
    super(id, isUrgent);
    this.#host = host;
    this.#isAcceptDue = isAcceptDue;
    const { datagramQueueBytes } = host.limits;
    this.#incoming = new DatagramQueue(datagramQueueBytes, host.datagrams);
    this.#outgoing = new DatagramQueue(datagramQueueBytes, host.datagrams);
  }

  override get isSmall(): boolean {
    return this.#outgoing.isEmpty ||
      this.#outgoing.nextLength <= smallDatagramBytes;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#isEnded) return false;
    if (bytes.length > maxDatagramBytes) {
      this.#host.datagrams.dropped++;
      return false;
    }
    const isQueued = this.#outgoing.push(bytes, 0, bytes.length);
    if (isQueued) this.#host.sendData(this);
    return isQueued;
  }

  receive(into: Uint8Array): Promise<number | null> {
    if (this.#receiver !== undefined) return Promise.reject(receivesAlready());
    if (!this.#incoming.isEmpty) {
      return Promise.resolve(this.#incoming.shiftInto(into, 0));
    }
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (this.#isEnded) return Promise.resolve(null);
    this.#into = into;
    this.#receiver = Promise.withResolvers();
    return this.#receiver.promise;
  }

  async forward(take: (bytes: Uint8Array) => void): Promise<void> {
    if (this.#receiver !== undefined) throw receivesAlready();
    while (!this.#incoming.isEmpty) {
      const bytes = new Uint8Array(this.#incoming.nextLength);
      this.#incoming.shiftInto(bytes, 0);
      take(bytes);
    }
    if (this.#refusal) throw this.#refusal;
    if (this.#isEnded) return;
    this.#taker = take;
    this.#receiver = Promise.withResolvers();
    await this.#receiver.promise;
  }

  close(why?: RefusedError): void {
    this.#incoming.clear();
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#resetDue = why && reasonOf(why);
    this.#wake(null);
    this.#host.sendData(this);
  }

  override emitControl(batch: Batch): boolean {
    if (this.movesFrom !== undefined) return true;
    if (batch.room < controlRoom) return false;
    if (this.#isAcceptDue) batch.accept(this.id, 0);
    if (this.#isResumeDue) batch.resume(this.id, 0, 0);
    this.#isAcceptDue = this.#isResumeDue = false;
    return true;
  }

  override emitMove(batch: Batch): boolean {
    if (this.#isOver && this.#isEndReceived) return true;
    if (batch.room < controlRoom) return false;
    batch.resume(this.id, 0, 0);
    return true;
  }

  override emitData(batch: Batch): boolean {
    if (this.#isOver || this.movesFrom !== undefined) return false;
    const startedAt = batch.length;
    while (!this.#outgoing.isEmpty) {
      const length = this.#outgoing.nextLength;
      const wanted = headerBytes + length;
      const turnEnd = batch.length - startedAt + wanted > turnBytes;
      if (batch.room < wanted || turnEnd && batch.length > startedAt) {
        return true;
      }
      const at = batch.datagram(this.id, length);
      this.#outgoing.shiftInto(batch.bytes, at);
    }
    if (!this.#isEnded) return false;
    if (batch.room < controlRoom) return true;
    this.#isOver = true;
    if (this.#resetDue === undefined) batch.end(this.id, 0, 0);
    else batch.reset(this.id, this.#resetDue, "");
    if (this.#isEndReceived || this.#resetDue !== undefined) {
      this.#host.remove(this);
    }
    return false;
  }

  override onDatagram(bytes: Uint8Array, from: number, to: number): void {
    if (this.#isEnded) return;
    if (this.#taker) return this.#give(bytes.subarray(from, to), this.#taker);
    if (this.#receiver === undefined) {
      this.#incoming.push(bytes, from, to);
      return;
    }
    const count = Math.min(to - from, this.#into!.length);
    this.#into!.set(bytes.subarray(from, from + count));
    this.#wake(count);
  }

  override onResume(
    _receivedTo: number,
    _maySendTo: number,
    isAnswerDue: boolean,
  ): void {
    this.arrive();
    this.#isResumeDue = isAnswerDue;
    this.#isAcceptDue = false;
    this.#goOn();
  }

  override onOpenAgain(): void {
    this.#isAcceptDue = true;
    this.#goOn();
  }

  override onEnd(_offset: number, _receivedTo: number): void {
    this.#isEndReceived = true;
    if (this.#isOver) {
      this.#host.remove(this);
      return;
    }
    this.#isEnded = true;
    this.#outgoing.clear();
    this.#wake(null);
    this.#host.sendData(this);
  }

  override onReset(reason: number, detail: string): void {
    if (!this.#isEnded) this.#refusal = refusalOf(reason, detail);
    this.#isEnded = this.#isOver = this.#isEndReceived = true;
    this.#outgoing.clear();
    if (this.#refusal) this.#receiver?.reject(this.#refusal);
    this.#wake(null);
    this.#host.remove(this);
  }

  override onSessionEnd(detail: string): void {
    this.onReset(0, detail);
  }

  /** The stream has its place at a carrier again. An END of this end that has no answer may be lost. */
  #goOn(): void {
    this.movesFrom = undefined;
    this.#isOver = false;
    this.#host.sendControl(this);
    this.#host.sendData(this);
  }

  /** What goes wrong there is for who called {@link forward}, not for the carrier. */
  #give(bytes: Uint8Array, take: (bytes: Uint8Array) => void): void {
    try {
      take(bytes);
    } catch (error) {
      this.#receiver?.reject(error);
      this.close();
    }
  }

  #wake(result: number | null): void {
    this.#receiver?.resolve(result);
    this.#receiver = this.#into = undefined;
  }
}

function receivesAlready(): TypeError {
  return new TypeError("Cannot receive: a receive is under way");
}

/** The reason of RESET that tells why a flow ended; without one, END tells that it did. */
function reasonOf({ refusal }: RefusedError): number | undefined {
  return refusal === "refused" || refusal === "unreachable"
    ? resetReason[refusal]
    : undefined;
}

function refusalOf(reason: number, detail: string): RefusedError | undefined {
  switch (reason) {
    case resetReason.refused:
      return new RefusedError("refused", detail || "nobody has that port");
    case resetReason.unreachable:
      return new RefusedError("unreachable", detail || "nothing goes there");
    default:
      return undefined;
  }
}

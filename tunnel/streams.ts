import { type Clock, RefusedError } from "../net/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import { capability } from "./capability.ts";
import type { Carrier } from "./carrier.ts";
import { DatagramBudget } from "./datagram_queue.ts";
import type { DatagramStream } from "./datagram_stream.ts";
import { maxTargetBytes, openFlag, resetReason } from "./frame.ts";
import type { Peer } from "./handshake.ts";
import { type Incoming, IncomingOpen } from "./incoming_open.ts";
import type { Limits } from "./limits.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { OutgoingOpen, type OutgoingOpenOptions } from "./outgoing_open.ts";
import { ProtocolError } from "./protocol_error.ts";
import { RefuseOpen, ResetOver } from "./short_answers.ts";
import { type Role, StreamTable } from "./stream_table.ts";
import type { Stream, StreamHost } from "./stream.ts";
import { WindowBudget } from "./window_budget.ts";

/** Refused streams that may wait for their REFUSE to be sent. */
const refusalBacklog = 1024;

export interface StreamsOptions {
  role: Role;
  /** Called for each stream that the peer wants to open. */
  serve: (incoming: Incoming) => void;
  clock: Clock;
  limits: Limits;
  budget: MemoryBudget | undefined;
  peer: Pick<Peer, "streams" | "capabilities">;
  /** The carrier for a stream that is opened; undefined while there is none. */
  pick: () => Carrier | undefined;
}

/** The streams of a session: opens them, takes them in, holds them, and lends them what they need. */
export class Streams implements StreamHost {
  readonly limits: Limits;
  readonly windows: WindowBudget;
  readonly datagrams: DatagramBudget;
  readonly kept: MemoryBudget;
  readonly table: StreamTable;
  readonly #options: StreamsOptions;
  #unanswered = 0;
  /** Why no stream can be opened any more. */
  #goneDetail: string | undefined;
  resentBytes = 0;

  constructor(options: StreamsOptions) {
    const { limits, budget } = options;
    this.#options = options;
    this.limits = limits;
    this.windows = new WindowBudget(limits, budget);
    const { datagramBudgetBytes, keptBytes } = limits;
    this.datagrams = new DatagramBudget(datagramBudgetBytes, {
      parent: budget,
    });
    this.kept = new MemoryBudget(keptBytes, { parent: budget });
    this.table = new StreamTable(options.role);
  }

  /** See `Session.open`. */
  open(options: OutgoingOpenOptions): Promise<ByteStream | DatagramStream> {
    const { signal, target } = options;
    if (target.length > maxTargetBytes) {
      return Promise.reject(
        new RangeError(`Cannot open a target of ${target.length} bytes`),
      );
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    const refusal = this.#refusalOfOpen();
    if (refusal !== undefined) return Promise.reject(refusal);
    const opening = new OutgoingOpen(this, {
      ...options,
      target: target.slice(),
    });
    this.table.addOwn(opening);
    return opening.answer;
  }

  /**
   * The peer sent OPEN on `carrier`. `target` is copied.
   *
   * @throws {ProtocolError} when it may not, or not so many.
   */
  onOpen(
    carrier: Carrier,
    id: number,
    { flags, maySendTo, target }: {
      flags: number;
      maySendTo: number;
      target: Uint8Array;
    },
  ): void {
    if (this.table.isOwn(id) || this.table.isSeen(id)) {
      return this.#onOpenAgain(carrier, id);
    }
    this.table.see(id);
    this.#unanswered++;
    const incoming = new IncomingOpen(this, {
      id,
      isUrgent: (flags & openFlag.urgent) !== 0,
      isDatagrams: (flags & openFlag.datagrams) !== 0,
      maySendTo,
      target: target.slice(),
      onAnswered: () => this.#unanswered--,
    });
    incoming.carrier = carrier;
    this.table.addPeer(incoming);
    if (this.#hasRoomForPeer()) this.#serve(incoming);
    else incoming.refuse("overloaded", "too many streams in this session");
  }

  /**
   * RESUME came for a stream that is over: its end is told again.
   *
   * @throws {ProtocolError} when it was never opened.
   */
  onResumeOver(carrier: Carrier, id: number): void {
    this.table.checkOver(id);
    const { capabilities } = this.#options.peer;
    const reason = capabilities.has(capability.alone) ? "over" : "closed";
    carrier.answer(new ResetOver(id, resetReason[reason]));
  }

  /** RESET came for a stream that is not there: if its OPEN was lost, that does not come any more. */
  onResetOver(id: number): void {
    if (this.table.isOwn(id)) this.table.checkOver(id);
    else this.table.see(id);
  }

  /** OPENs that were to go on `carrier` have no carrier. */
  detachUnsent(carrier: Carrier): void {
    for (const stream of this.table.unsent()) {
      if (stream.carrier === carrier) stream.carrier = undefined;
    }
  }

  /** OPENs without a carrier find one if there is any. */
  sendUnsent(): void {
    for (const stream of this.table.unsent()) {
      if (stream.carrier === undefined) this.sendControl(stream);
    }
  }

  /** The session has ended: all streams break off. */
  end(detail: string): void {
    this.#goneDetail ??= detail;
    for (const stream of this.table.all()) stream.onSessionEnd(detail);
  }

  /** Received bytes that wait for readers. */
  get unreadBytes(): number {
    return this.table.all().reduce((sum, one) => sum + one.unreadBytes, 0);
  }

  // StreamHost

  nowMs(): number {
    return this.#options.clock.now();
  }

  assignId(stream: Stream): number {
    return this.table.assignId(stream);
  }

  replace(stream: Stream): void {
    this.table.replace(stream);
  }

  remove(stream: Stream): void {
    this.table.remove(stream);
  }

  sendControl(stream: Stream): void {
    stream.carrier ??= this.#options.pick();
    stream.carrier?.sendControl(stream);
  }

  sendLater(stream: Stream): void {
    stream.carrier?.sendLater(stream);
  }

  sendData(stream: Stream): void {
    stream.carrier?.sendData(stream);
  }

  resent(bytes: number): void {
    this.resentBytes += bytes;
  }

  /** The opener of a stream sends OPEN again when the answer was lost with its carrier. */
  #onOpenAgain(carrier: Carrier, id: number): void {
    const stream = this.table.get(id);
    if (this.table.isOwn(id) || stream !== undefined && !isMoving(stream)) {
      throw new ProtocolError("bad-stream-id", `OPEN with id ${id} again`);
    }
    if (stream !== undefined) return stream.onOpenAgain();
    const detail = "the answer was lost with its carrier";
    carrier.answer(new RefuseOpen(id, "failed", detail));
  }

  #refusalOfOpen(): RefusedError | undefined {
    if (this.#goneDetail !== undefined) {
      return new RefusedError("gone", this.#goneDetail);
    }
    if (!this.table.hasOwnId) {
      const detail = "the session has used up its stream ids";
      return new RefusedError("gone", detail);
    }
    const { streams: peerStreams } = this.#options.peer;
    if (this.table.ownCount >= peerStreams) {
      const detail = `the peer takes ${peerStreams} streams at a time`;
      return new RefusedError("overloaded", detail);
    }
    if (this.windows.hasFirst) return undefined;
    return new RefusedError("overloaded", "no memory for one more stream");
  }

  #hasRoomForPeer(): boolean {
    const { streams, unanswered } = this.limits;
    const excess = this.table.peerCount - streams;
    if (excess > refusalBacklog) {
      throw new ProtocolError("flood", `${excess} streams too many are open`);
    }
    return excess <= 0 && this.#unanswered <= unanswered &&
      this.windows.hasFirst;
  }

  #serve(incoming: IncomingOpen): void {
    try {
      this.#options.serve(incoming);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      incoming.refuse("failed", detail);
    }
  }
}

function isMoving(stream: Stream): boolean {
  return stream.movesFrom !== undefined;
}

import { type Clock, RefusedError } from "../net/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import { DatagramBudget } from "./datagram_queue.ts";
import type { DatagramStream } from "./datagram_stream.ts";
import { maxTargetBytes, openFlag } from "./frame.ts";
import { type Incoming, IncomingOpen } from "./incoming_open.ts";
import type { Limits } from "./limits.ts";
import type { Liveness } from "./liveness.ts";
import type { Outbox } from "./outbox.ts";
import { OutgoingOpen, type OutgoingOpenOptions } from "./outgoing_open.ts";
import { ProtocolError } from "./protocol_error.ts";
import { type Role, StreamTable } from "./stream_table.ts";
import type { ControlSender, Stream, StreamHost } from "./stream.ts";
import { WindowBudget } from "./window_budget.ts";

/** Refused streams that may wait for their REFUSE to be sent. */
const refusalBacklog = 1024;

export interface StreamsOptions {
  role: Role;
  /** Called for each stream that the peer wants to open. */
  serve: (incoming: Incoming) => void;
  clock: Clock;
  limits: Limits;
  /** How many streams the peer takes at a time. */
  peerStreams: number;
  outbox: Outbox;
  liveness: Liveness;
}

/** The streams of a session: opens them, takes them in, holds them, and lends them what they need. */
export class Streams implements StreamHost {
  readonly limits: Limits;
  readonly windows: WindowBudget;
  readonly datagrams: DatagramBudget;
  readonly table: StreamTable;
  readonly #options: StreamsOptions;
  #unanswered = 0;
  /** Why no stream can be opened any more. */
  #goneDetail: string | undefined;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.windows = new WindowBudget(this.limits);
    this.datagrams = new DatagramBudget(this.limits.datagramBudgetBytes);
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
   * The peer sent OPEN. `target` is copied.
   *
   * @throws {ProtocolError} when it may not, or not so many.
   */
  onOpen(
    id: number,
    flags: number,
    maySendTo: number,
    target: Uint8Array,
  ): void {
    this.table.checkPeerId(id);
    this.#unanswered++;
    const incoming = new IncomingOpen(this, {
      id,
      isUrgent: (flags & openFlag.urgent) !== 0,
      isDatagrams: (flags & openFlag.datagrams) !== 0,
      maySendTo,
      target: target.slice(),
      onAnswered: () => this.#unanswered--,
    });
    this.table.addPeer(incoming);
    if (this.#hasRoomForPeer()) this.#serve(incoming);
    else incoming.refuse("overloaded", "too many streams in this session");
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

  get leastRoundTripMs(): number {
    return this.#options.liveness.leastRoundTripMs;
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

  sendControl(sender: ControlSender): void {
    this.#options.liveness.used();
    this.#options.outbox.sendControl(sender);
  }

  sendData(stream: Stream): void {
    this.#options.liveness.used();
    this.#options.outbox.sendData(stream);
  }

  #refusalOfOpen(): RefusedError | undefined {
    if (this.#goneDetail !== undefined) {
      return new RefusedError("gone", this.#goneDetail);
    }
    if (!this.table.hasOwnId) {
      const detail = "the session has used up its stream ids";
      return new RefusedError("gone", detail);
    }
    const { peerStreams } = this.#options;
    if (this.table.ownCount < peerStreams) return undefined;
    const detail = `the peer takes ${peerStreams} streams at a time`;
    return new RefusedError("overloaded", detail);
  }

  #hasRoomForPeer(): boolean {
    const { streams, unanswered } = this.limits;
    const excess = this.table.peerCount - streams;
    if (excess > refusalBacklog) {
      throw new ProtocolError("flood", `${excess} streams too many are open`);
    }
    return excess <= 0 && this.#unanswered <= unanswered;
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

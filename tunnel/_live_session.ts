/**
 * A session on its carrier.
 *
 * 1. `Intake` reads the carrier, `FrameDecoder` takes frames out, `Router` passes them to the streams of the table.
 * 2. Streams that have something to send get in line at `Outbox`, which writes the carrier.
 * 3. The session itself opens and takes in streams, listens for life, and ends once, for the first reason.
 */
import {
  type Clock,
  type Conn,
  type Datagrams,
  RefusedError,
} from "../net/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import { DatagramBudget } from "./datagram_queue.ts";
import type { DatagramStream } from "./datagram_stream.ts";
import { FrameDecoder } from "./decoder.ts";
import {
  type GoawayReason,
  goawayReason,
  maxTargetBytes,
  openFlag,
} from "./frame.ts";
import type { Peer } from "./handshake.ts";
import { type Incoming, IncomingOpen } from "./incoming_open.ts";
import type { Intake } from "./intake.ts";
import type { Limits } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import { Outbox } from "./outbox.ts";
import { OutgoingOpen, type OutgoingOpenOptions } from "./outgoing_open.ts";
import { ProtocolError } from "./protocol_error.ts";
import { Router, type SessionFrames } from "./_router.ts";
import type { Session, SessionEnd, SessionStats } from "./session.ts";
import { Signals } from "./_signals.ts";
import { type Role, StreamTable } from "./stream_table.ts";
import type { ControlSender, Stream, StreamHost } from "./stream.ts";
import { WindowBudget } from "./window_budget.ts";

/** How long a leaving end waits for its last frames to be taken, and for the peer to end the carrier too. */
const lingerMs = 1000;
/** Refused streams that may wait for their REFUSE to be sent. */
const refusalBacklog = 1024;

export interface LiveSessionOptions {
  role: Role;
  carrier: Conn;
  intake: Intake;
  peer: Peer;
  serve: (incoming: Incoming) => void;
  clock: Clock;
  limits: Limits;
}

export class LiveSession implements Session, StreamHost, SessionFrames {
  readonly peer: Peer;
  readonly limits: Limits;
  readonly windows: WindowBudget;
  readonly datagrams: DatagramBudget;
  readonly #options: LiveSessionOptions;
  readonly #table: StreamTable;
  readonly #outbox: Outbox;
  readonly #signals = new Signals();
  readonly #liveness: Liveness;
  readonly #carrierDone = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<SessionEnd>();
  #end: SessionEnd | undefined;
  /** Said by the peer's GOAWAY: how the session ends when the carrier does. */
  #peerEnd: SessionEnd | undefined;
  #unanswered = 0;
  #cancelWriteGrace = () => {};

  constructor(options: LiveSessionOptions) {
    const { carrier, clock, limits } = options;
    this.#options = options;
    this.peer = options.peer;
    this.limits = limits;
    this.windows = new WindowBudget(limits);
    this.datagrams = new DatagramBudget(limits.datagramBudgetBytes);
    this.#table = new StreamTable(options.role);
    this.#outbox = new Outbox(carrier, (error) => this.#onWriteError(error));
    this.#liveness = new Liveness({
      clock,
      sendPing: (token) => {
        this.#signals.ping(token);
        this.#outbox.sendControl(this.#signals);
      },
      onSilent: (detail) => this.#finish({ reason: "carrier-silent", detail }),
    });
  }

  get ended(): Promise<SessionEnd> {
    return this.#ended.promise;
  }

  start(): void {
    this.#liveness.start();
    void this.#receive();
  }

  // Session

  open(
    target: Uint8Array,
    options: { signal?: AbortSignal; urgent?: boolean } = {},
  ): Promise<Conn> {
    return this.#open({
      target,
      isDatagrams: false,
      isUrgent: options.urgent === true,
      signal: options.signal,
    }) as Promise<ByteStream>;
  }

  openDatagrams(
    target: Uint8Array,
    options: { signal?: AbortSignal } = {},
  ): Promise<Datagrams> {
    return this.#open({
      target,
      isDatagrams: true,
      isUrgent: false,
      signal: options.signal,
    }) as Promise<DatagramStream>;
  }

  close(): void {
    this.#finish(
      { reason: "closed", detail: "this end closed the session" },
      goawayReason.closed,
    );
  }

  stats(): SessionStats {
    let unreadBytes = 0;
    for (const stream of this.#table.all()) unreadBytes += stream.unreadBytes;
    return {
      streams: this.#table.size,
      bytesSent: this.#outbox.sentBytes,
      bytesReceived: this.#options.intake.receivedBytes,
      roundTripMs: this.#liveness.roundTripMs,
      leastRoundTripMs: this.#liveness.leastRoundTripMs,
      datagramsDropped: this.datagrams.dropped,
      unreadBytes,
      promisedBytes: this.windows.promisedBytes,
    };
  }

  // StreamHost

  nowMs(): number {
    return this.#options.clock.now();
  }

  get leastRoundTripMs(): number {
    return this.#liveness.leastRoundTripMs;
  }

  assignId(stream: Stream): number {
    return this.#table.assignId(stream);
  }

  replace(stream: Stream): void {
    this.#table.replace(stream);
  }

  remove(stream: Stream): void {
    this.#table.remove(stream);
  }

  sendControl(sender: ControlSender): void {
    this.#liveness.used();
    this.#outbox.sendControl(sender);
  }

  sendData(stream: Stream): void {
    this.#liveness.used();
    this.#outbox.sendData(stream);
  }

  // SessionFrames

  onOpen(
    id: number,
    flags: number,
    maySendTo: number,
    target: Uint8Array,
  ): void {
    this.#table.checkPeerId(id);
    this.#unanswered++;
    const incoming = new IncomingOpen(this, {
      id,
      isUrgent: (flags & openFlag.urgent) !== 0,
      isDatagrams: (flags & openFlag.datagrams) !== 0,
      maySendTo,
      target: target.slice(),
      onAnswered: () => this.#unanswered--,
    });
    this.#table.addPeer(incoming);
    if (this.#hasRoomForPeer()) this.#serve(incoming);
    else incoming.refuse("overloaded", "too many streams in this session");
  }

  onPing(high: number, low: number): void {
    this.#signals.pong(high, low);
    this.#outbox.sendControl(this.#signals);
  }

  onPong(high: number, low: number): void {
    this.#liveness.onPong(high, low);
  }

  onGoaway(reason: number, detail: string): void {
    this.#peerEnd = {
      reason: reason === goawayReason.protocolError
        ? "peer-protocol-error"
        : "peer-closed",
      detail: detail || "the peer closed the session",
    };
  }

  // Inside

  #open(options: OutgoingOpenOptions): Promise<ByteStream | DatagramStream> {
    const { signal, target } = options;
    if (target.length > maxTargetBytes) {
      return Promise.reject(
        new RangeError(`Cannot open a target of ${target.length} bytes`),
      );
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    const end = this.#end ?? this.#peerEnd;
    if (end !== undefined || !this.#table.hasOwnId) {
      const detail = end?.detail ?? "the session has used up its stream ids";
      return Promise.reject(new RefusedError("gone", detail));
    }
    if (this.#table.ownCount >= this.peer.streams) {
      const detail = `the peer takes ${this.peer.streams} streams at a time`;
      return Promise.reject(new RefusedError("overloaded", detail));
    }
    const opening = new OutgoingOpen(this, {
      ...options,
      target: target.slice(),
    });
    this.#table.addOwn(opening);
    return opening.answer;
  }

  #hasRoomForPeer(): boolean {
    const { streams, unanswered } = this.limits;
    const excess = this.#table.peerCount - streams;
    if (excess > refusalBacklog) {
      throw new ProtocolError("flood", `${excess} streams too many are open`);
    }
    return excess <= 0 && this.#unanswered <= unanswered;
  }

  #serve(incoming: IncomingOpen): void {
    try {
      this.#options.serve(incoming);
    } catch (error) {
      incoming.refuse("failed", messageOf(error));
    }
  }

  async #receive(): Promise<void> {
    const { intake } = this.#options;
    const decoder = new FrameDecoder();
    const router = new Router(this.#table, this);
    try {
      do {
        this.#liveness.heard();
        if (this.#end !== undefined) intake.discard();
        else this.#decode(decoder, router);
      } while (await intake.fill());
      this.#onCarrierEnd("the carrier ended");
    } catch (error) {
      this.#onCarrierEnd(`the carrier failed: ${messageOf(error)}`);
    }
    this.#carrierDone.resolve();
  }

  #decode(decoder: FrameDecoder, router: Router): void {
    try {
      this.#options.intake.decode(decoder, router);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const detail = `${error.breach}: ${error.message}`;
      this.#finish(
        { reason: "protocol-error", detail },
        goawayReason.protocolError,
      );
    }
  }

  #onCarrierEnd(detail: string): void {
    this.#finish(this.#peerEnd ?? { reason: "carrier-lost", detail });
  }

  /** Gives the peer's GOAWAY, which may be why writing fails, the time to be read. */
  #onWriteError(error: unknown): void {
    if (this.#end !== undefined) return;
    const detail = `the carrier failed: ${messageOf(error)}`;
    this.#cancelWriteGrace = this.#options.clock.after(
      lingerMs,
      () => this.#onCarrierEnd(detail),
    );
  }

  /** Ends the session, once. With `goaway` the peer is told and the carrier closed; without, it is of no use any more. */
  #finish(end: SessionEnd, goaway?: GoawayReason): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#liveness.stop();
    this.#cancelWriteGrace();
    for (const stream of this.#table.all()) stream.onSessionEnd(end.detail);
    if (goaway !== undefined) {
      this.#signals.goaway(goaway, end.detail);
      void this.#leave(end);
      return;
    }
    this.#outbox.stop();
    const { carrier } = this.#options;
    if (end === this.#peerEnd) carrier.close();
    else carrier.reset();
    this.#ended.resolve(end);
  }

  async #leave(end: SessionEnd): Promise<void> {
    const { carrier, clock } = this.#options;
    const giveUp = () => {
      this.#outbox.stop();
      carrier.reset();
      this.#carrierDone.resolve();
    };
    const cancel = clock.after(lingerMs, giveUp);
    await this.#outbox.finish(this.#signals);
    await this.#carrierDone.promise;
    cancel();
    carrier.close();
    this.#ended.resolve(end);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A session on its carrier.
 *
 * 1. `Intake` reads the carrier, `FrameDecoder` takes frames out, `Router` passes them to their streams.
 * 2. Streams that have something to send get in line at `Outbox`, which writes the carrier.
 * 3. The session listens for life, and ends once, for the first reason.
 */
import type { Clock, Conn, Datagrams } from "../net/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import type { DatagramStream } from "./datagram_stream.ts";
import { FrameDecoder } from "./decoder.ts";
import { type GoawayReason, goawayReason } from "./frame.ts";
import type { Peer } from "./handshake.ts";
import type { Incoming } from "./incoming_open.ts";
import type { Intake } from "./intake.ts";
import type { Limits } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import { Outbox } from "./outbox.ts";
import { ProtocolError } from "./protocol_error.ts";
import { Router, type SessionFrames } from "./_router.ts";
import type { Session, SessionEnd, SessionStats } from "./session.ts";
import { Signals } from "./_signals.ts";
import type { Role } from "./stream_table.ts";
import { Streams } from "./streams.ts";

/** How long a leaving end waits for its last frames to be taken, and for the peer to end the carrier too. */
const lingerMs = 1000;

export interface LiveSessionOptions {
  role: Role;
  carrier: Conn;
  intake: Intake;
  peer: Peer;
  serve: (incoming: Incoming) => void;
  clock: Clock;
  limits: Limits;
}

export class LiveSession implements Session, SessionFrames {
  readonly peer: Peer;
  readonly #carrier: Conn;
  readonly #clock: Clock;
  readonly #intake: Intake;
  readonly #outbox: Outbox;
  readonly #signals = new Signals();
  readonly #liveness: Liveness;
  readonly #streams: Streams;
  readonly #carrierDone = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<SessionEnd>();
  #end: SessionEnd | undefined;
  /** Said by the peer's GOAWAY: how the session ends when the carrier does. */
  #peerEnd: SessionEnd | undefined;
  #cancelWriteGrace = () => {};

  constructor(options: LiveSessionOptions) {
    const { carrier, clock, intake, peer } = options;
    this.peer = peer;
    this.#carrier = carrier;
    this.#clock = clock;
    this.#intake = intake;
    this.#outbox = new Outbox(carrier, (error) => this.#onWriteError(error));
    this.#liveness = new Liveness({
      clock,
      sendPing: (token) => {
        this.#signals.ping(token);
        this.#outbox.sendControl(this.#signals);
      },
      onSilent: (detail) => this.#finish({ reason: "carrier-silent", detail }),
    });
    this.#streams = new Streams({
      ...options,
      peerStreams: peer.streams,
      outbox: this.#outbox,
      liveness: this.#liveness,
    });
  }

  get ended(): Promise<SessionEnd> {
    return this.#ended.promise;
  }

  /** Begins to send and to receive. Once. */
  start(): void {
    this.#liveness.start();
    void this.#receive();
  }

  open(
    target: Uint8Array,
    options: { signal?: AbortSignal; urgent?: boolean } = {},
  ): Promise<Conn> {
    return this.#streams.open({
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
    return this.#streams.open({
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
    return {
      streams: this.#streams.table.size,
      bytesSent: this.#outbox.sentBytes,
      bytesReceived: this.#intake.receivedBytes,
      roundTripMs: this.#liveness.roundTripMs,
      leastRoundTripMs: this.#liveness.leastRoundTripMs,
      datagramsDropped: this.#streams.datagrams.dropped,
      unreadBytes: this.#streams.unreadBytes,
      promisedBytes: this.#streams.windows.promisedBytes,
    };
  }

  onOpen(
    id: number,
    flags: number,
    maySendTo: number,
    target: Uint8Array,
  ): void {
    this.#streams.onOpen(id, flags, maySendTo, target);
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
    this.#finish(this.#peerEnd);
  }

  async #receive(): Promise<void> {
    const decoder = new FrameDecoder();
    const router = new Router(this.#streams.table, this);
    try {
      do {
        this.#liveness.heard();
        if (this.#end !== undefined) this.#intake.discard();
        else this.#decode(decoder, router);
      } while (await this.#intake.fill());
      this.#onCarrierEnd("the carrier ended");
    } catch (error) {
      this.#onCarrierEnd(`the carrier failed: ${messageOf(error)}`);
    }
    this.#carrierDone.resolve();
  }

  #decode(decoder: FrameDecoder, router: Router): void {
    try {
      this.#intake.decode(decoder, router);
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
    this.#cancelWriteGrace = this.#clock.after(
      lingerMs,
      () => this.#onCarrierEnd(detail),
    );
  }

  /** Ends the session, once. With `goaway` the peer is told; without, the carrier is of no use any more. */
  #finish(end: SessionEnd, goaway?: GoawayReason): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#liveness.stop();
    this.#cancelWriteGrace();
    this.#streams.end(end.detail);
    if (goaway !== undefined) {
      this.#signals.goaway(goaway, end.detail);
      void this.#leave(end);
      return;
    }
    this.#outbox.stop();
    if (end === this.#peerEnd) this.#carrier.close();
    else this.#carrier.reset();
    this.#ended.resolve(end);
  }

  /** Sends the last frame and ends the carrier, then drops what still comes until the peer has ended it too. */
  async #leave(end: SessionEnd): Promise<void> {
    const cancel = this.#clock.after(lingerMs, () => {
      this.#outbox.stop();
      this.#carrier.reset();
      this.#carrierDone.resolve();
    });
    await this.#outbox.finish(this.#signals);
    await this.#carrierDone.promise;
    cancel();
    this.#carrier.close();
    this.#ended.resolve(end);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

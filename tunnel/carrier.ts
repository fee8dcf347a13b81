/**
 * One carrier of a session.
 *
 * 1. `Intake` reads it, `FrameDecoder` takes frames out, `Router` passes them to their streams.
 * 2. Streams that have something to send get in line at `Outbox`, which writes it.
 * 3. `Liveness` listens for life. A carrier is given up once, for the first reason; streams outlive it.
 */
import { type Clock, type Conn, quantum } from "../net/mod.ts";
import { FrameDecoder, type FrameSink } from "./decoder.ts";
import type { GoawayReason } from "./frame.ts";
import type { Intake } from "./intake.ts";
import { Liveness } from "./liveness.ts";
import { Outbox } from "./outbox.ts";
import { ProtocolError } from "./protocol_error.ts";
import { Signals } from "./signals.ts";
import type { ControlSender, Stream } from "./stream.ts";

/** How long a leaving end waits for its last frames to be taken, and for the peer to end the carrier too. */
const lingerMs = 1000;
/** Answers that may wait while the peer reads nothing. */
const maxControl = 256 * 1024;
/** So much both ways in such a time, or a few of them, is bulk. It counts as under way for some time after. */
const bulkWindowMs = 50;
const bulkBytes = 32 * 1024;
const bulkRestMs = 500;
/** Who waits in line for so long is bulk, however slow. */
const bulkWaitMs = 100;

/** What a carrier tells its session. */
export interface CarrierHost {
  /** The carrier is given up: `detail` says why. Once, unless the session gave it up. */
  onLost(carrier: Carrier, detail: string): void;
  /** The peer broke the protocol on it. */
  onBreach(carrier: Carrier, error: ProtocolError): void;
  /** Streams wait and nothing comes. */
  onSuspect(carrier: Carrier): void;
  /** It carries bulk. May be told often. */
  onBulk(carrier: Carrier): void;
  /** This end has slept. */
  onJump(): void;
}

export interface CarrierOptions {
  number: number;
  conn: Conn;
  intake: Intake;
  clock: Clock;
  /** As {@link Limits.unansweredPings}. */
  unansweredPings: number;
  host: CarrierHost;
  /** It came by a way on which no session begins. */
  isShortcut: boolean;
}

export interface CarrierStats {
  readonly number: number;
  /** It came by a way on which no session begins. */
  readonly isShortcut: boolean;
  /** The last and the shortest time from PING to PONG in milliseconds; 0 before one was measured. */
  readonly roundTripMs: number;
  readonly leastRoundTripMs: number;
  /** Bytes that are sent and not known to have arrived, and how many may be before bulk waits. */
  readonly inFlightBytes: number;
  readonly capBytes: number;
  /** Bytes taken and given, frames included. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Streams wait and nothing comes. */
  readonly isSuspect: boolean;
}

export class Carrier {
  readonly number: number;
  readonly isShortcut: boolean;
  readonly #options: CarrierOptions;
  readonly #conn: Conn;
  readonly #intake: Intake;
  readonly #outbox: Outbox;
  readonly #signals = new Signals();
  readonly #liveness: Liveness;
  readonly #received = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  /** The peer uses it, too: something has come behind the greeting. */
  isConfirmed = false;
  #owing: Stream[] = [];
  #isGivenUp = false;
  #isLeaving = false;
  #cancelWriteGrace = () => {};
  #bulkSinceMs = 0;
  #bulkFromBytes = 0;
  /** When bulk came or went last. */
  #lastBulkMs = -Infinity;

  constructor(options: CarrierOptions) {
    const { conn, clock, unansweredPings, intake, host } = options;
    this.number = options.number;
    this.isShortcut = options.isShortcut;
    this.#options = options;
    this.#conn = conn;
    this.#intake = intake;
    this.#outbox = new Outbox(conn, {
      clock,
      onError: (error) => this.#onWriteError(error),
    });
    this.#liveness = new Liveness({
      ...{ clock, unansweredPings },
      sendPing: () => this.#outbox.ping(),
      roundTripMs: () => this.#outbox.flight.roundTripMs,
      onSuspect: () => host.onSuspect(this),
      onSilent: (detail) => this.#lose(detail),
      onJump: () => host.onJump(),
    });
  }

  /** Resolves when nothing of it is in use any more. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  get isSuspect(): boolean {
    return this.#liveness.isSuspect;
  }

  get leastRoundTripMs(): number {
    return this.#outbox.flight.leastRoundTripMs;
  }

  /** How much bulk it carries: streams that wait to send it, and one for what has come and gone. */
  get bulk(): number {
    const nowMs = this.#options.clock.now();
    const hasBulk = nowMs - this.#lastBulkMs < bulkRestMs;
    return this.#outbox.bulkCount + (hasBulk ? 1 : 0);
  }

  /** Begins to send and to receive. Once. */
  start(sink: FrameSink): void {
    this.#liveness.start();
    void this.#receive(sink);
  }

  sendControl(sender: ControlSender): void {
    if (this.#isGivenUp) return;
    this.#liveness.used();
    this.#outbox.sendControl(sender);
  }

  /** As {@link sendControl}, for what nobody waits for. */
  sendLater(sender: ControlSender): void {
    if (this.#isGivenUp) return;
    this.#liveness.used();
    this.#outbox.sendLater(sender);
  }

  sendData(stream: Stream): void {
    if (this.#isGivenUp) return;
    this.#liveness.used();
    this.#outbox.sendData(stream);
  }

  /**
   * Sends an answer that no stream keeps.
   *
   * @throws {ProtocolError} when the peer has asked for too many and reads none.
   */
  answer(sender: ControlSender): void {
    if (this.#outbox.controlCount > maxControl) {
      throw new ProtocolError("flood", "too many answers wait to be read");
    }
    this.#outbox.sendControl(sender);
  }

  /** `stream` has received what its peer has not been told. */
  owe(stream: Stream): void {
    stream.isOwing = true;
    this.#owing.push(stream);
  }

  /** `stream` goes to another carrier: nothing of it is sent here any more. */
  detach(stream: Stream): void {
    this.#outbox.remove(stream);
    if (stream.isOwing) this.#owing.splice(this.#owing.indexOf(stream), 1);
    stream.isOwing = false;
  }

  /** Asks the peer to acknowledge. */
  probe(): void {
    this.#outbox.ping();
  }

  /** Asks whether it is alive: suspect unless it answers within a second. */
  check(): void {
    if (!this.#isGivenUp) this.#liveness.probe();
  }

  onPing(high: number, low: number): void {
    this.#acknowledge();
    this.#signals.pong(high, low);
    this.#outbox.sendControl(this.#signals);
  }

  onPong(high: number, low: number): void {
    if (high === 0) this.#outbox.onPong(low);
    const { bulkSinceMs } = this.#outbox;
    if (
      bulkSinceMs !== undefined &&
      this.#options.clock.now() - bulkSinceMs >= bulkWaitMs
    ) this.#options.host.onBulk(this);
  }

  stats(): CarrierStats {
    const { flight, inFlightBytes, sentBytes } = this.#outbox;
    return {
      number: this.number,
      isShortcut: this.isShortcut,
      roundTripMs: flight.roundTripMs,
      leastRoundTripMs: flight.leastRoundTripMs,
      inFlightBytes,
      capBytes: flight.capBytes,
      bytesSent: sentBytes,
      bytesReceived: this.#intake.receivedBytes,
      isSuspect: this.isSuspect,
    };
  }

  /** Breaks it off. Nothing is sent or told any more. Idempotent. */
  giveUp(): void {
    if (this.#isGivenUp) return;
    this.#stop();
    this.#outbox.stop();
    this.#conn.reset();
  }

  /** Ends it after the peer said why it leaves. */
  close(): void {
    if (this.#isGivenUp) return;
    this.#stop();
    this.#outbox.stop();
    this.#conn.close();
  }

  /** Sends a last frame and ends it, then drops what still comes until the peer has ended it too. Never rejects. */
  async leave(reason: GoawayReason, detail: string): Promise<void> {
    if (this.#isGivenUp) return;
    this.#stop();
    this.#isLeaving = true;
    this.#signals.goaway(reason, detail);
    const cancel = this.#options.clock.after(lingerMs, () => {
      this.#outbox.stop();
      this.#conn.reset();
      this.#received.resolve();
    });
    await this.#outbox.finish(this.#signals);
    await this.#received.promise;
    cancel();
    this.#conn.close();
  }

  #stop(): void {
    this.#isGivenUp = true;
    this.#liveness.stop();
    this.#cancelWriteGrace();
    for (const one of this.#owing) one.isOwing = false;
    this.#owing = [];
  }

  async #receive(sink: FrameSink): Promise<void> {
    const decoder = new FrameDecoder();
    const fromBytes = this.#intake.receivedBytes;
    let spentBytes = fromBytes;
    try {
      do {
        if (this.#isGivenUp) {
          if (!this.#isLeaving) break;
          this.#intake.discard();
          continue;
        }
        this.#liveness.heard();
        this.isConfirmed ||= this.#intake.receivedBytes > fromBytes;
        this.#decode(decoder, sink);
        this.#noteBulk();
        const { receivedBytes } = this.#intake;
        const nextTurn = quantum.spend(receivedBytes - spentBytes);
        spentBytes = receivedBytes;
        if (nextTurn !== undefined) await nextTurn;
      } while (await this.#intake.fill());
      this.#lose("the carrier ended");
    } catch (error) {
      this.#lose(`the carrier failed: ${messageOf(error)}`);
    }
    this.#intake.release();
    this.#received.resolve();
    this.#over.resolve();
  }

  #decode(decoder: FrameDecoder, sink: FrameSink): void {
    try {
      this.#intake.decode(decoder, sink);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#options.host.onBreach(this, error);
    }
  }

  #noteBulk(): void {
    const nowMs = this.#options.clock.now();
    if (nowMs - this.#bulkSinceMs < bulkWindowMs) return;
    const bytes = this.#intake.receivedBytes + this.#outbox.sentBytes;
    const isBulk = bytes - this.#bulkFromBytes >= bulkBytes &&
      nowMs - this.#bulkSinceMs < 3 * bulkWindowMs;
    this.#bulkSinceMs = nowMs;
    this.#bulkFromBytes = bytes;
    if (!isBulk || this.#isGivenUp) return;
    this.#lastBulkMs = nowMs;
    this.#options.host.onBulk(this);
  }

  #acknowledge(): void {
    if (this.#owing.length === 0) return;
    const owing = this.#owing;
    this.#owing = [];
    for (const stream of owing) {
      stream.isOwing = false;
      if (stream.carrier === this) stream.acknowledge();
    }
  }

  #lose(detail: string): void {
    if (this.#isGivenUp) return;
    this.giveUp();
    this.#options.host.onLost(this, detail);
  }

  /** Gives the peer's GOAWAY, which may be why writing fails, the time to be read. */
  #onWriteError(error: unknown): void {
    if (this.#isGivenUp) return;
    const detail = `the carrier failed: ${messageOf(error)}`;
    this.#cancelWriteGrace = this.#options.clock.after(
      lingerMs,
      () => this.#lose(detail),
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

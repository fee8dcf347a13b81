/**
 * A session and its carriers.
 *
 * 1. Carriers join (`carrier.ts`). A stream is on one of them; frames go to streams by id (`router.ts`).
 * 2. The streams of a carrier that is lost move to another (`moves.ts`), or wait for one to join.
 * 3. The dialer keeps bulk from small flows (`balance.ts`), and has a carrier for each (`keepers.ts`).
 * 4. Without a carrier the session goes on for its grace. It ends once, for the first reason.
 */
import type { Clock, Conn, Datagrams } from "../net/mod.ts";
import { Balance, type Change } from "./balance.ts";
import type { ByteStream } from "./byte_stream.ts";
import { capability } from "./capability.ts";
import { Carrier, type CarrierHost } from "./carrier.ts";
import type { DatagramStream } from "./datagram_stream.ts";
import { type GoawayReason, goawayReason } from "./frame.ts";
import type { Peer } from "./handshake.ts";
import type { Incoming } from "./incoming_open.ts";
import type { Intake } from "./intake.ts";
import type { Keepers } from "./keepers.ts";
import { Lease } from "./lease.ts";
import type { Limits } from "./limits.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import { AcceptorMoves, DialerMoves } from "./moves.ts";
import { pickCarrier } from "./pick_carrier.ts";
import type { ProtocolError } from "./protocol_error.ts";
import { Router } from "./router.ts";
import type {
  CarrierChange,
  Dial,
  Session,
  SessionEnd,
  SessionStats,
} from "./session.ts";
import type { Role } from "./stream_table.ts";
import { Streams } from "./streams.ts";
import { Tally } from "./tally.ts";

export interface LiveSessionOptions {
  role: Role;
  peer: Peer;
  clock: Clock;
  limits: Limits;
  budget: MemoryBudget | undefined;
  onCarrier?: ((change: CarrierChange) => void) | undefined;
}

/** A greeted carrier that joins. */
export interface Joining {
  conn: Conn;
  intake: Intake;
  /** It came by a way on which no session begins. */
  isShortcut: boolean;
}

export class LiveSession implements Session, CarrierHost {
  readonly peer: Peer;
  /** The live ones, by number. */
  readonly carriers = new Map<number, Carrier>();
  /** Answers the streams that the peer opens. */
  serve: (incoming: Incoming) => void = (incoming) =>
    incoming.refuse("unknown-target", "nothing is served here");
  /** A dialer's that may have more than one carrier in its life. */
  keeper: Keepers | undefined;
  readonly #options: LiveSessionOptions;
  readonly #streams: Streams;
  readonly #moves: DialerMoves | AcceptorMoves;
  readonly #balance = new Balance();
  readonly #tally = new Tally();
  readonly #lease: Lease;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  #end: SessionEnd | undefined;
  #cancelGrace = () => {};

  constructor(options: LiveSessionOptions) {
    const { role, peer } = options;
    this.#options = options;
    this.peer = peer;
    this.#streams = new Streams({
      ...options,
      serve: (incoming) => this.serve(incoming),
      pick: () => pickCarrier(this.carriers.values()),
    });
    this.#lease = new Lease({
      clock: options.clock,
      ms: role === "acceptor" ? options.limits.shortcutMs : Infinity,
      onOver: () => this.#endShortcuts(),
    });
    const { table } = this.#streams;
    this.#moves = role === "dialer"
      ? new DialerMoves(table, {
        mayChange: peer.capabilities.has(capability.alone),
      })
      : new AcceptorMoves(table, (number) => this.#takeLive(number));
  }

  get ended(): Promise<SessionEnd> {
    return this.#ended.promise;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
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

  wake(): void {
    if (this.#end === undefined) this.keeper?.wake();
  }

  shortcut(dial: Dial | undefined): void {
    if (this.#end === undefined) this.keeper?.shortcut(dial);
  }

  close(): void {
    this.finish(
      { reason: "closed", detail: "this end closed the session" },
      goawayReason.closed,
    );
  }

  stats(): SessionStats {
    return this.#tally.stats(this.carriers.values(), {
      streams: this.#streams,
      moves: this.#moves,
    });
  }

  /** Whether a carrier with this number may join. */
  mayJoin(number: number, { isShortcut }: Pick<Joining, "isShortcut">) {
    const { carriers } = this.#options.limits;
    if (isShortcut && this.#lease.isOver) return false;
    return this.#end === undefined && !this.carriers.has(number) &&
      this.#moves instanceof AcceptorMoves && this.#moves.isFree(number) &&
      this.carriers.size + this.#moves.lostCount < 2 * carriers;
  }

  /** Takes a greeted carrier in and begins to use it. */
  join(number: number, how: Joining): Carrier {
    const { clock, limits: { unansweredPings } } = this.#options;
    const options = { number, ...how, clock, unansweredPings };
    const carrier = new Carrier({ ...options, host: this });
    this.#cancelGrace();
    if (!how.isShortcut) this.#lease.renew();
    this.carriers.set(number, carrier);
    if (this.#end === undefined) {
      // Before what it brings: that may be word of carriers that are lost.
      this.#options.onCarrier?.({ number, live: this.carriers.size });
    }
    carrier.start(
      new Router({
        carrier,
        streams: this.#streams,
        moves: this.#moves,
        onGoaway: (one, reason, detail) => this.#onGoaway(one, reason, detail),
      }),
    );
    if (this.#end !== undefined) return carrier;
    if (this.#moves instanceof DialerMoves) this.#moves.moveTo(carrier);
    this.#streams.sendUnsent();
    this.keeper?.onJoined(carrier);
    return carrier;
  }

  /** Gives `carrier` up; its streams move. */
  giveUp(carrier: Carrier, detail: string): void {
    carrier.giveUp();
    this.onLost(carrier, detail);
  }

  /** Moves one stream alone to `to`, at the dialer. No effect when it cannot go there. */
  change(id: number, to: Carrier): void {
    const stream = this.#streams.table.get(id);
    if (stream === undefined) return;
    if (this.#moves instanceof DialerMoves) this.#moves.change(stream, to);
  }

  /** Moves streams alone, at the dialer: each when the one before is answered. What cannot be done is left out. */
  changeInTurn(changes: readonly Change[]): void {
    if (this.#moves instanceof DialerMoves) this.#moves.changeInTurn(changes);
  }

  /** How many streams are on `carrier`. */
  streamsOn(carrier: Carrier): number {
    return this.#streams.table.all().filter((one) => one.carrier === carrier)
      .length;
  }

  // CarrierHost

  onLost(carrier: Carrier, detail: string): void {
    if (
      this.#end !== undefined || this.carriers.get(carrier.number) !== carrier
    ) return;
    this.#drop(carrier.number);
    this.#tellLost(carrier.number, detail);
    this.#moves.lost(carrier);
    this.#streams.detachUnsent(carrier);
    const to = pickCarrier(this.carriers.values());
    if (to === undefined) this.#wait(detail);
    else {
      if (this.#moves instanceof DialerMoves) this.#moves.moveTo(to);
      this.#streams.sendUnsent();
    }
    this.keeper?.onLost(carrier);
  }

  onBreach(_carrier: Carrier, error: ProtocolError): void {
    const detail = `${error.breach}: ${error.message}`;
    this.finish(
      { reason: "protocol-error", detail },
      goawayReason.protocolError,
    );
  }

  onSuspect(carrier: Carrier): void {
    this.keeper?.onSuspect(carrier);
  }

  onBulk(): void {
    const nowMs = this.#options.clock.now();
    const moves = this.#moves;
    if (!(moves instanceof DialerMoves)) return;
    if (this.keeper === undefined || !this.#balance.isDue(nowMs)) return;
    const changes = this.#balance.look(nowMs, {
      streams: this.#streams.table.values(),
      carriers: this.carriers.values(),
      mayChange: !moves.goOn(),
    });
    this.keeper.onBulk(this.#balance.bulkStreams);
    if (changes.length > 0) moves.changeInTurn(changes);
  }

  onJump(): void {
    this.wake();
  }

  /** Ends the session, once. With `goaway` the peer is told; without, its carriers are of no use any more. */
  finish(end: SessionEnd, goaway?: GoawayReason): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.keeper?.stop();
    this.#cancelGrace();
    this.#lease.end();
    this.#streams.end(end.detail);
    const carriers = [...this.carriers.values()];
    if (goaway !== undefined) {
      const leaving = carriers.map((one) => one.leave(goaway, end.detail));
      void Promise.all(leaving).then(() => this.#release(end));
      return;
    }
    for (const one of carriers) one.close();
    this.#release(end);
  }

  #release(end: SessionEnd): void {
    for (const one of this.carriers.values()) this.#tally.add(one);
    this.carriers.clear();
    this.#ended.resolve(end);
  }

  #wait(detail: string): void {
    const { clock, limits } = this.#options;
    if (limits.graceMs === 0) {
      return this.finish({ reason: "grace-over", detail });
    }
    this.#cancelGrace = clock.after(limits.graceMs, () => {
      const seconds = limits.graceMs / 1000;
      this.finish({
        reason: "grace-over",
        detail: `no carrier for ${seconds} s: ${detail}`,
      });
    });
  }

  #endShortcuts(): void {
    for (const one of this.carriers.values()) {
      this.giveUp(one, "it was a shortcut alone for too long");
    }
  }

  #onGoaway(carrier: Carrier, reason: number, detail: string): void {
    if (carrier.isGivenUp) return;
    const isOwnMatter = reason === goawayReason.overloaded &&
      carrier.number > 1;
    // What another says on a shortcut, who is not the peer after all, is not to end the session.
    if (isOwnMatter || carrier.isShortcut && reason !== goawayReason.closed) {
      // Whoever turns a carrier away once does so again for a while.
      carrier.isConfirmed = false;
      return this.giveUp(carrier, detail || "the peer has no room");
    }
    this.finish({
      reason: reason === goawayReason.protocolError
        ? "peer-protocol-error"
        : reason === goawayReason.unknownSession
        ? "unknown-session"
        : "peer-closed",
      detail: detail || "the peer closed the session",
    });
  }

  /** The dialer moves the streams of a carrier that lives here. */
  #takeLive(number: number): Carrier | undefined {
    const carrier = this.#drop(number);
    if (carrier !== undefined) this.#tellLost(number, "its streams were moved");
    return carrier;
  }

  #tellLost(number: number, lost: string): void {
    this.#options.onCarrier?.({ number, lost, live: this.carriers.size });
  }

  /** Takes a live carrier out. */
  #drop(number: number): Carrier | undefined {
    const carrier = this.carriers.get(number);
    if (carrier !== undefined) this.#tally.add(carrier);
    this.carriers.delete(number);
    const left = [...this.carriers.values()];
    if (left.every((one) => one.isShortcut)) this.#lease.begin();
    return carrier;
  }
}

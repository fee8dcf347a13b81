import {
  type Clock,
  type Conn,
  RefusedError,
  systemClock,
} from "../net/mod.ts";
import { greet, UnknownSessionError } from "./greet.ts";
import { type Arrival, sayWelcome } from "./handshake.ts";
import type { Incoming } from "./incoming_open.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { type Joining, LiveSession } from "./live_session.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { CarrierChange, Session, SessionOptions } from "./session.ts";

export interface AcceptorOptions extends SessionOptions {
  /**
   * Called with each fresh session; the dialer's proven `thumbprint` is in its `peer`. Returns who answers the streams
   * that the dialer opens. What it throws turns the session away (GOAWAY overloaded).
   */
  onSession: (session: Session) => (incoming: Incoming) => void;
  /** Told of each carrier that joins a live session or is lost, the first included. */
  onCarrier?: (session: Session, change: CarrierChange) => void;
}

export interface TakeOptions {
  /** It came by a way on which no session begins: it may only join one. */
  isShortcut?: boolean;
  /** Told which session it is about to begin or to join, before {@link AcceptorOptions.onSession} is asked. */
  onFound?: (session: Session) => void;
}

/** The end to which carriers are opened: makes sessions of them, and lets further ones join. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #clock: Clock;
  readonly #limits: Limits;
  /** By id and key of the dialer: who has not both does not find it. */
  readonly #byName = new Map<string, LiveSession>();
  readonly #sessions = new Set<LiveSession>();
  readonly #greeting = new Set<Conn>();
  #isClosed = false;

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  /** The live ones, those that wait for a carrier included. */
  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  /**
   * Owns `carrier` from now on; it is closed when this settles. Resolves when it has served its session.
   *
   * @throws {IncompatibleError} when the two ends share no version of the protocol.
   * @throws {ProtocolError} when the peer is no tunnel; "bad-signature" when it does not hold the key it shows.
   * @throws {ConnResetError} when the carrier breaks, or the peer is silent for {@link Limits.greetingMs}.
   * @throws {UnknownSessionError} when it was to join a session that is not here, or not its own, or was to begin one on
   * a shortcut.
   * @throws {RefusedError} "overloaded" when there is no room.
   */
  async take(
    carrier: Conn,
    { isShortcut = false, onFound }: TakeOptions = {},
  ): Promise<void> {
    if (this.#isClosed) return carrier.close();
    const own = {
      product: this.#options.product,
      streams: this.#limits.streams,
    };
    this.#greeting.add(carrier);
    try {
      const options = { clock: this.#clock, limits: this.#limits };
      const joined = await greet(carrier, options, async (intake) => {
        const arrival = await sayWelcome(carrier, intake, own);
        const how = { conn: carrier, intake, isShortcut };
        return this.#admit(arrival, how, onFound);
      });
      this.#greeting.delete(carrier);
      await joined.over;
    } finally {
      this.#greeting.delete(carrier);
    }
  }

  /** Takes no more carriers, ends all sessions and resolves when they are over. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const carrier of this.#greeting) carrier.close();
    const sessions = [...this.#sessions];
    for (const session of sessions) session.close();
    await Promise.all(sessions.map((session) => session.ended));
  }

  #admit(arrival: Arrival, how: Joining, onFound: TakeOptions["onFound"]) {
    const { session: name, carrier: number, peer } = arrival;
    const known = this.#byName.get(name);
    if (this.#isClosed) throw new RefusedError("overloaded", "it is closing");
    if (peer === undefined) {
      if (known === undefined) {
        throw new UnknownSessionError("Cannot join: there is no such session");
      }
      if (!known.mayJoin(number, how)) {
        throw new RefusedError("overloaded", "no room for this carrier");
      }
      onFound?.(known);
      return known.join(number, how);
    }
    if (how.isShortcut) {
      throw new UnknownSessionError("Cannot begin a session on a shortcut");
    }
    if (known !== undefined) {
      throw new ProtocolError("bad-signature", "there is such a session");
    }
    if (this.#sessions.size >= this.#limits.sessions) {
      throw new RefusedError("overloaded", "no room for one more session");
    }
    const session: LiveSession = new LiveSession({
      role: "acceptor",
      peer,
      clock: this.#clock,
      limits: this.#limits,
      budget: this.#options.budget,
      onCarrier: (change) => this.#options.onCarrier?.(session, change),
    });
    onFound?.(session);
    session.serve = this.#ask(session);
    this.#hold(name, session);
    return session.join(number, how);
  }

  #ask(session: LiveSession): (incoming: Incoming) => void {
    try {
      return this.#options.onSession(session);
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      const detail = error instanceof Error ? error.message : String(error);
      throw new RefusedError("overloaded", detail);
    }
  }

  async #hold(name: string, session: LiveSession): Promise<void> {
    this.#byName.set(name, session);
    this.#sessions.add(session);
    await session.ended;
    this.#byName.delete(name);
    this.#sessions.delete(session);
  }
}

import { product } from "../build.ts";
import { logger } from "../log.ts";
import { type Clock, RefusedError, Slots } from "../net/mod.ts";
import {
  Acceptor,
  type CarrierChange,
  type Incoming,
  type MemoryBudget,
  type Session,
} from "../tunnel/mod.ts";
import { acceptLoop } from "./accept_loop.ts";
import { sessionLimits } from "./session_budget.ts";
import { TcpConn } from "../tcp/mod.ts";

const log = logger("manager");

/** Sessions at a time. One that has no carrier makes room for another; else more are turned away. */
const usualMaxSessions = 256;
/** Those that have made room and are about to end. */
const endingSessions = 16;
/** Carriers at a time, those that are still greeting included. */
const maxCarriers = 4 * usualMaxSessions;

export interface DoorwayOptions {
  /** Where carriers come in. */
  listener: Deno.TcpListener;
  /** Called with each fresh session; gives who answers its streams. */
  welcome: (session: Session) => (incoming: Incoming) => void;
  /** Called when a session has a carrier again. */
  onCarrier?: () => void;
  /** Of all sessions together. */
  budget: MemoryBudget;
  maxSessions?: number;
  clock: Clock;
}

/** Where laptops come in: each TCP connection is a carrier that begins a session, or joins one. */
export class Doorway implements AsyncDisposable {
  readonly #options: DoorwayOptions;
  readonly #maxSessions: number;
  readonly #slots = new Slots(maxCarriers);
  readonly #shortcutSlots = new Slots(maxCarriers);
  readonly #acceptor: Acceptor;
  /** Sessions without a carrier, the first to have lost it first. */
  readonly #waiting = new Set<Session>();
  readonly #accepting: Promise<void>;
  #closed = false;

  /** Starts to accept. */
  constructor(options: DoorwayOptions) {
    this.#options = options;
    this.#maxSessions = options.maxSessions ?? usualMaxSessions;
    this.#acceptor = new Acceptor({
      product,
      clock: options.clock,
      limits: {
        ...sessionLimits,
        sessions: this.#maxSessions + endingSessions,
      },
      budget: options.budget,
      onCarrier: (session, change) => this.#onCarrier(session, change),
      onSession: (session) => this.#welcome(session),
    });
    this.#accepting = acceptLoop(options.listener, {
      take: (conn) =>
        this.#take(new TcpConn(conn), {
          ...{ slots: this.#slots, isShortcut: false },
        }),
      clock: options.clock,
    });
  }

  get sessions(): number {
    return this.#acceptor.sessions.size;
  }

  /** Accepts no more carriers; sessions go on. Idempotent. */
  shut(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.listener.close();
  }

  /** Tells every session that it is over, and resolves when all are. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.shut();
    await this.#accepting;
    await this.#acceptor.close();
    await this.#slots.empty();
    await this.#shortcutSlots.empty();
  }

  /** Takes over who comes directly: it may join a session. Anybody may come so, and takes no place of the others. */
  takeShortcut(carrier: TcpConn): void {
    this.#take(carrier, { slots: this.#shortcutSlots, isShortcut: true });
  }

  #take(
    carrier: TcpConn,
    { slots, isShortcut }: { slots: Slots; isShortcut: boolean },
  ): void {
    const place = this.#closed ? undefined : slots.take();
    if (place === undefined) {
      log.warn("carrier turned away", { carriers: slots.taken, isShortcut });
      carrier.close();
      return;
    }
    this.#hold(carrier, isShortcut).finally(() => place[Symbol.dispose]());
  }

  /** From the carrier's first byte to its last. Never rejects. */
  async #hold(carrier: TcpConn, isShortcut: boolean): Promise<void> {
    try {
      await this.#acceptor.take(carrier, { isShortcut });
    } catch (error) {
      // Whoever is in the network can knock at the shortcut.
      log[isShortcut ? "debug" : "warn"]("no session on a carrier", { error });
    } finally {
      carrier.close();
    }
  }

  /** @throws {RefusedError} when there is no room. */
  #welcome(session: Session): (incoming: Incoming) => void {
    this.#makeRoom();
    const { thumbprint, product: laptop } = session.peer;
    log.info("session begins", { thumbprint, laptop });
    void session.ended.then(({ reason, detail }) => {
      this.#waiting.delete(session);
      log.info("session ended", { thumbprint, reason, detail });
    });
    return this.#options.welcome(session);
  }

  /** A laptop that is away gives its place to one that is here. */
  #makeRoom(): void {
    if (this.sessions < this.#maxSessions) return;
    const [longest] = this.#waiting;
    if (longest === undefined) {
      const detail = `${this.#maxSessions} laptops are here`;
      throw new RefusedError("overloaded", detail);
    }
    this.#waiting.delete(longest);
    longest.close();
  }

  #onCarrier(session: Session, { number, lost, live }: CarrierChange): void {
    const { thumbprint } = session.peer;
    if (lost === undefined) {
      this.#waiting.delete(session);
      this.#options.onCarrier?.();
      log.info("carrier joined", { thumbprint, number, live });
      return;
    }
    if (live === 0) this.#waiting.add(session);
    log.info("carrier lost", { thumbprint, number, lost, live });
  }
}

import { product } from "../build.ts";
import { logger } from "../log.ts";
import type { Clock } from "../net/mod.ts";
import { Acceptor, type Incoming, type Session } from "../tunnel/mod.ts";
import { acceptLoop } from "./accept_loop.ts";
import { Slots } from "./slots.ts";
import { TcpConn } from "../tcp/mod.ts";

const log = logger("manager");

/** Sessions at a time; more are turned away. */
const maxSessions = 256;
/** Carriers at a time, those that are still greeting included. */
const maxCarriers = 4 * maxSessions;

/** What one session may hold of the manager's memory while the cluster's services read slowly. */
const sessionBudgetBytes = 32 * 1024 * 1024;

export interface DoorwayOptions {
  /** Where carriers come in. */
  listener: Deno.TcpListener;
  /** Answers the streams of all sessions. */
  serve: (incoming: Incoming) => void;
  clock: Clock;
}

/** Where laptops come in: each TCP connection is a carrier that begins a session, or joins one. */
export class Doorway implements AsyncDisposable {
  readonly #options: DoorwayOptions;
  readonly #slots = new Slots(maxCarriers);
  readonly #shortcutSlots = new Slots(maxCarriers);
  readonly #acceptor: Acceptor;
  readonly #accepting: Promise<void>;
  #closed = false;

  /** Starts to accept. */
  constructor(options: DoorwayOptions) {
    this.#options = options;
    this.#acceptor = new Acceptor({
      product,
      clock: options.clock,
      limits: {
        sessions: maxSessions,
        budgetBytes: sessionBudgetBytes,
        keptBytes: sessionBudgetBytes,
      },
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

  #welcome(session: Session): (incoming: Incoming) => void {
    const { thumbprint, product: laptop } = session.peer;
    log.info("session begins", { thumbprint, laptop });
    void session.ended.then(({ reason, detail }) =>
      log.info("session ended", { thumbprint, reason, detail })
    );
    return this.#options.serve;
  }
}

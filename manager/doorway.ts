import { product } from "../build.ts";
import { logger } from "../log.ts";
import type { Clock } from "../net/mod.ts";
import { acceptSession, type Incoming, type Session } from "../tunnel/mod.ts";
import { acceptLoop } from "./accept_loop.ts";
import { Slots } from "./slots.ts";
import { TcpConn } from "../tcp/mod.ts";

const log = logger("manager");

/** Sessions at a time, those that are still greeting included; more are turned away. */
const maxSessions = 256;

/** What one session may hold of the manager's memory while the cluster's services read slowly. */
const sessionBudgetBytes = 32 * 1024 * 1024;

export interface DoorwayOptions {
  /** Where carriers come in. */
  listener: Deno.TcpListener;
  /** Answers the streams of all sessions. */
  serve: (incoming: Incoming) => void;
  clock: Clock;
}

/** Where laptops come in: each TCP connection is a carrier, and becomes a session. */
export class Doorway implements AsyncDisposable {
  readonly #options: DoorwayOptions;
  readonly #slots = new Slots(maxSessions);
  /** Carriers whose sessions have not begun. */
  readonly #greeting = new Set<TcpConn>();
  readonly #sessions = new Set<Session>();
  readonly #accepting: Promise<void>;
  #closed = false;

  /** Starts to accept. */
  constructor(options: DoorwayOptions) {
    this.#options = options;
    this.#accepting = acceptLoop(options.listener, {
      take: (conn) => this.#take(conn),
      clock: options.clock,
    });
  }

  get sessions(): number {
    return this.#sessions.size;
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
    for (const session of this.#sessions) session.close();
    for (const carrier of this.#greeting) carrier.close();
    await this.#slots.empty();
  }

  #take(conn: Deno.TcpConn): void {
    const place = this.#slots.take();
    if (place === undefined) {
      log.warn("carrier turned away", { sessions: this.#slots.taken });
      conn.close();
      return;
    }
    this.#hold(new TcpConn(conn)).finally(() => place[Symbol.dispose]());
  }

  /** From the carrier's first byte to the end of its session. Never rejects. */
  async #hold(carrier: TcpConn): Promise<void> {
    const { serve, clock } = this.#options;
    this.#greeting.add(carrier);
    try {
      const session = await acceptSession(carrier, {
        product,
        serve,
        clock,
        limits: { budgetBytes: sessionBudgetBytes },
      });
      this.#greeting.delete(carrier);
      this.#sessions.add(session);
      const { thumbprint, product: laptop } = session.peer;
      log.info("session begins", { thumbprint, laptop });
      const { reason, detail } = await session.ended;
      this.#sessions.delete(session);
      log.info("session ended", { thumbprint, reason, detail });
    } catch (error) {
      log.warn("no session on a carrier", { error });
    } finally {
      this.#greeting.delete(carrier);
      carrier.close();
    }
  }
}

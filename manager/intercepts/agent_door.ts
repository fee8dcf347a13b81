/**
 * Where agents come in, on the address of the manager's pod.
 *
 * 1. It listens with the certificate of the manager's own authority; another one makes another listener. Connections
 *    that stand go on.
 * 2. Whoever connects has a place among those who have proven nothing, which addresses share, and a short time.
 * 3. After TLS's handshake a connection is a carrier: it begins a session, or joins one.
 * 4. What a session may do is its token's to say: see {@link AgentSession}. Once that has proven its pod its carriers
 *    give those places back, and have some of the agents'.
 */
import { product } from "../../build.ts";
import { logger } from "../../log.ts";
import { type Clock, Slots } from "../../net/mod.ts";
import { TcpConn } from "../../tcp/mod.ts";
import {
  Acceptor,
  type Incoming,
  type MemoryBudget,
  type Session,
} from "../../tunnel/mod.ts";
import { acceptLoop } from "../accept_loop.ts";
import type { Feed } from "../feed.ts";
import { Shares } from "../shares.ts";

const log = logger("manager");

/** From the connection to the proof. */
const provingMs = 10_000;
/** Connections that have proven nothing; who comes above its address's share is turned away, and comes again. */
const maxUnproven = 512;
/** Pods with an agent that this copy of the manager serves. */
const maxSessions = 4096;
const maxCarriers = 2 * maxSessions;
/** After a listener that could not be had. */
const listenPauseMs = 1_000;
/** What one agent may take: there are many, and few are busy. */
const agentLimits = {
  budgetBytes: 8 * 1024 * 1024,
  keptBytes: 8 * 1024 * 1024,
  datagramBudgetBytes: 1024 * 1024,
  streams: 4096,
  unanswered: 1024,
  // An agent makes a new session at once; rules are told anew.
  graceMs: 30_000,
};

export interface ServingCertificate {
  /** PEM, the certificate first. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

/** Who is at the other end of a session. */
export interface Guest {
  /** From where the session was begun: others may share it. */
  readonly address: string;
  /** To be called when it has proven what it is. */
  prove(): void;
}

export interface AgentDoorOptions {
  /** Where it listens. */
  address: { hostname: string; port: number };
  /** It opens when there is one. */
  certificates: Feed<ServingCertificate>;
  /** Called with each fresh session; gives who answers its streams. */
  welcome: (session: Session, guest: Guest) => (incoming: Incoming) => void;
  budget: MemoryBudget;
  clock: Clock;
}

export class AgentDoor implements AsyncDisposable {
  readonly #options: AgentDoorOptions;
  readonly #acceptor: Acceptor;
  readonly #guests = new WeakMap<Session, Arrived>();
  readonly #unproven = new Shares(maxUnproven);
  readonly #carriers = new Slots(maxCarriers);
  readonly #closed = new AbortController();
  readonly #listening: Promise<void>;
  #listener: Deno.TlsListener | undefined;

  /** Opens as soon as there is a certificate. */
  constructor(options: AgentDoorOptions) {
    this.#options = options;
    this.#acceptor = new Acceptor({
      product,
      clock: options.clock,
      limits: { ...agentLimits, sessions: maxSessions + maxUnproven },
      budget: options.budget,
      onSession: (session) => {
        const { thumbprint } = session.peer;
        void session.ended.then(({ reason, detail }) =>
          log.debug("agent's session ended", { thumbprint, reason, detail })
        );
        return options.welcome(session, this.#guests.get(session)!);
      },
    });
    this.#listening = this.#listen();
  }

  get sessions(): number {
    return this.#acceptor.sessions.size;
  }

  /** Accepts no more carriers; sessions go on. Idempotent. */
  shut(): void {
    this.#closed.abort();
    this.#closeListener();
  }

  /** Tells every session that it is over, and resolves when all are. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.shut();
    await this.#listening;
    await this.#acceptor.close();
    await this.#unproven.empty();
    await this.#carriers.empty();
  }

  /** Until the door is shut. Never rejects. */
  async #listen(): Promise<void> {
    const { address, certificates, clock } = this.#options;
    let accepting: Promise<void> = Promise.resolve();
    for await (const { cert, key } of certificates.follow(this.#closed)) {
      this.#closeListener();
      await accepting;
      while (!this.#closed.signal.aborted) {
        try {
          this.#listener = Deno.listenTls({ ...address, cert, key });
          break;
        } catch (error) {
          log.error("the agents' door does not open", { error });
          await new Promise<void>((resolve) =>
            clock.after(listenPauseMs, resolve)
          );
        }
      }
      if (this.#listener === undefined) break;
      log.info("the agents' door is open", { port: address.port });
      accepting = acceptLoop(this.#listener, {
        take: (conn) => this.#take(conn),
        clock,
      });
    }
    await accepting;
  }

  #closeListener(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  #take(conn: Deno.TlsConn): void {
    const address = conn.remoteAddr.hostname;
    const place = this.#unproven.take(address);
    const carrier = new TcpConn(conn);
    if (place === undefined) return carrier.reset();
    const late = () => carrier.reset();
    const callOff = this.#options.clock.after(provingMs, late);
    const settle = () => {
      callOff();
      place[Symbol.dispose]();
    };
    this.#shakeHands(conn, carrier)
      .then((isDone) =>
        isDone ? this.#hold(carrier, { address, settle }) : undefined
      )
      .finally(settle);
  }

  /** Never rejects. */
  async #shakeHands(conn: Deno.TlsConn, carrier: TcpConn): Promise<boolean> {
    // The runtime closes no connection whose handshake is under way: it would wait for the peer.
    const reset = () => carrier.reset();
    const { signal } = this.#closed;
    signal.addEventListener("abort", reset, { once: true });
    try {
      await conn.handshake();
      return true;
    } catch {
      reset();
      return false;
    } finally {
      signal.removeEventListener("abort", reset);
    }
  }

  /** From the carrier's first byte to its last. `settle` is called when it is an agent's. Never rejects. */
  async #hold(
    carrier: TcpConn,
    { address, settle }: { address: string; settle: () => void },
  ): Promise<void> {
    using places = new DisposableStack();
    let found: Session | undefined;
    const onProven = () => {
      const place = this.#carriers.take();
      if (place === undefined) return carrier.reset();
      if (places.disposed) return place[Symbol.dispose]();
      places.use(place);
      settle();
    };
    const onFound = (session: Session) => {
      found = session;
      const guest = this.#guests.get(session) ?? new Arrived(address);
      this.#guests.set(session, guest);
      guest.whenProven(onProven);
    };
    try {
      await this.#acceptor.take(carrier, { onFound });
    } catch (error) {
      // Whoever is in the network can knock.
      log.debug("no session on an agent's carrier", { error });
    } finally {
      carrier.close();
      // It would hold a place of a session's for its grace time.
      if (found && !this.#guests.get(found)?.isProven) found.close();
    }
  }
}

class Arrived implements Guest {
  readonly address: string;
  readonly #waiting: (() => void)[] = [];
  #isProven = false;

  constructor(address: string) {
    this.address = address;
  }

  get isProven(): boolean {
    return this.#isProven;
  }

  /** Calls `then` at once when it is so. */
  whenProven(then: () => void): void {
    if (this.#isProven) then();
    else this.#waiting.push(then);
  }

  prove(): void {
    this.#isProven = true;
    for (const then of this.#waiting.splice(0)) then();
  }
}

/**
 * Where agents come in, on the address of the manager's pod.
 *
 * 1. It listens with the certificate of the manager's own authority; another one makes another listener. Connections
 *    that stand go on.
 * 2. After TLS's handshake a connection is a carrier: it begins a session, or joins one.
 * 3. What a session may do is its token's to say: see {@link AgentSession}.
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

const log = logger("manager");

/** From the connection to the end of TLS's handshake, in ms. */
const handshakeMs = 10_000;
/** Handshakes at a time; who comes above is turned away. */
const maxHandshakes = 256;
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

export interface AgentDoorOptions {
  /** Where it listens. */
  address: { hostname: string; port: number };
  /** It opens when there is one. */
  certificates: Feed<ServingCertificate>;
  /** Called with each fresh session; gives who answers its streams. */
  welcome: (session: Session) => (incoming: Incoming) => void;
  budget: MemoryBudget;
  clock: Clock;
}

export class AgentDoor implements AsyncDisposable {
  readonly #options: AgentDoorOptions;
  readonly #acceptor: Acceptor;
  readonly #handshakes = new Slots(maxHandshakes);
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
      limits: { ...agentLimits, sessions: maxSessions },
      budget: options.budget,
      onSession: (session) => {
        const { thumbprint } = session.peer;
        void session.ended.then(({ reason, detail }) =>
          log.debug("agent's session ended", { thumbprint, reason, detail })
        );
        return options.welcome(session);
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
    await this.#handshakes.empty();
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
    const handshake = this.#handshakes.take();
    const carrier = new TcpConn(conn);
    if (handshake === undefined) return carrier.reset();
    this.#shakeHands(conn, carrier)
      .finally(() => handshake[Symbol.dispose]())
      .then((isDone) => isDone ? this.#hold(carrier) : undefined);
  }

  /** Never rejects. */
  async #shakeHands(conn: Deno.TlsConn, carrier: TcpConn): Promise<boolean> {
    // The runtime closes no connection whose handshake is under way: it would wait for the peer.
    const reset = () => carrier.reset();
    const callOff = this.#options.clock.after(handshakeMs, reset);
    const { signal } = this.#closed;
    signal.addEventListener("abort", reset, { once: true });
    try {
      await conn.handshake();
      return true;
    } catch {
      reset();
      return false;
    } finally {
      callOff();
      signal.removeEventListener("abort", reset);
    }
  }

  /** From the carrier's first byte to its last. Never rejects. */
  async #hold(carrier: TcpConn): Promise<void> {
    using place = this.#carriers.take();
    if (place === undefined) return carrier.reset();
    try {
      await this.#acceptor.take(carrier);
    } catch (error) {
      // Whoever is in the network can knock.
      log.debug("no session on an agent's carrier", { error });
    } finally {
      carrier.close();
    }
  }
}

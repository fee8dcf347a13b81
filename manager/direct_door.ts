/**
 * The manager's own address, for carriers that join a session without the API server between: more speed, and no
 * lifetime caps.
 *
 * 1. A certificate is made for a name that nobody else bears; its key never leaves this process.
 * 2. Who has a session is told name and certificate through it, so through the API server.
 * 3. Once a day both are made anew. Connections that stand go on.
 *
 * Whoever is in the network can connect here. What comes must be a carrier that joins: it proves that it holds the key of a
 * session, and that was begun through the API server, by who may forward ports to the manager's pod.
 */
import { logger } from "../log.ts";
import { type Clock, Slots } from "../net/mod.ts";
import { TcpConn } from "../tcp/mod.ts";
import { acceptLoop } from "./accept_loop.ts";
import { makeCertificate } from "./certificate.ts";
import type { DirectEndpoint } from "./direct_endpoint.ts";
import type { DirectOffer } from "./direct_offer.ts";
import type { Feed } from "./feed.ts";

const log = logger("manager");

const hourMs = 3_600_000;
const rotationMs = 24 * hourMs;
/** After a certificate or a listener that could not be had. */
const rotationPauseMs = 60_000;
/** A laptop's clock may be wrong by this much. */
const skewMs = 24 * hourMs;
/** From the connection to the end of TLS's handshake, in ms. */
const handshakeMs = 10_000;
/** Handshakes at a time; who comes above is turned away. */
const maxHandshakes = 64;

export interface DirectDoorOptions {
  endpoint: DirectEndpoint;
  /** Where it listens. */
  address: { hostname: string; port: number };
  /** Gets what is to be told to who has a session. */
  offers: Feed<DirectOffer>;
  /** Takes a connection over, after the handshake. */
  take: (conn: TcpConn) => void;
  clock: Clock;
}

export class DirectDoor implements AsyncDisposable {
  readonly #options: DirectDoorOptions;
  readonly #name = `${crypto.randomUUID()}.manager.tp.invalid`;
  readonly #handshakes = new Slots(maxHandshakes);
  readonly #closed = new AbortController();
  #listener: Deno.TlsListener | undefined;
  #accepting: Promise<void> = Promise.resolve();
  #callOff = () => {};

  private constructor(options: DirectDoorOptions) {
    this.#options = options;
  }

  /** Listens when it resolves. */
  static async open(options: DirectDoorOptions): Promise<DirectDoor> {
    const door = new DirectDoor(options);
    await door.#rotate();
    return door;
  }

  /** Accepts no more connections; those that were taken go on. Idempotent. */
  shut(): void {
    this.#closed.abort();
    this.#callOff();
    this.#closeListener();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.shut();
    await this.#accepting;
    await this.#handshakes.empty();
  }

  async #rotate(): Promise<void> {
    const { endpoint, address, offers, clock } = this.#options;
    const now = Date.now();
    const { cert, key } = await makeCertificate({
      name: this.#name,
      notBefore: new Date(now - skewMs),
      notAfter: new Date(now + rotationMs + skewMs),
    });
    this.#closeListener();
    await this.#accepting;
    if (this.#closed.signal.aborted) return;
    this.#listener = Deno.listenTls({ ...address, cert, key });
    this.#accepting = acceptLoop(this.#listener, {
      take: (conn) => this.#take(conn),
      clock,
    });
    offers.set({ endpoint, name: this.#name, certificate: cert });
    this.#rotateAfter(rotationMs);
  }

  #closeListener(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  #rotateAfter(ms: number): void {
    this.#callOff = this.#options.clock.after(ms, () => {
      this.#rotate().catch((error) => {
        log.error("no new certificate for the direct endpoint", { error });
        if (!this.#closed.signal.aborted) this.#rotateAfter(rotationPauseMs);
      });
    });
  }

  #take(conn: Deno.TlsConn): void {
    const place = this.#handshakes.take();
    const carrier = new TcpConn(conn);
    if (place === undefined) return carrier.reset();
    this.#shakeHands(conn, carrier).finally(() => place[Symbol.dispose]());
  }

  /** Never rejects. */
  async #shakeHands(conn: Deno.TlsConn, carrier: TcpConn): Promise<void> {
    // The runtime closes no connection whose handshake is under way: it would wait for the peer.
    const reset = () => carrier.reset();
    const callOff = this.#options.clock.after(handshakeMs, reset);
    this.#closed.signal.addEventListener("abort", reset, { once: true });
    try {
      await conn.handshake();
      this.#options.take(carrier);
    } catch {
      // Whoever does not speak TLS, or does not know the certificate.
      reset();
    } finally {
      callOff();
      this.#closed.signal.removeEventListener("abort", reset);
    }
  }
}

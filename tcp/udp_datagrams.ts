import { createSocket, type Socket } from "node:dgram";
import type { Clock, Datagrams, Ip } from "../net/mod.ts";

/** The most datagrams that wait to be received, and to be sent; more are dropped, as a socket would. */
const maxWaiting = 256;

export interface UdpDatagramsOptions {
  clock: Clock;
  /** A flow on which nothing goes either way for so long ends. */
  idleMs: number;
}

/** A UDP flow between a socket of its own and one peer. What others send to the socket is passed over. */
export class UdpDatagrams implements Datagrams {
  readonly #peer: { address: string; port: number };
  readonly #socket: Socket;
  readonly #options: UdpDatagramsOptions;
  readonly #waiting: Uint8Array[] = [];
  /** The first of them is under way. */
  readonly #sending: Uint8Array[] = [];
  readonly #released = Promise.withResolvers<void>();
  #wake = Promise.withResolvers<void>();
  #callOff = () => {};
  #lastMs: number;
  #closed = false;

  constructor(
    to: { readonly ip: Ip; readonly port: number },
    options: UdpDatagramsOptions,
  ) {
    this.#peer = { address: to.ip.toString(), port: to.port };
    this.#options = options;
    this.#lastMs = options.clock.now();
    this.#socket = createSocket(to.ip.family === 4 ? "udp4" : "udp6");
    this.#socket.on("message", (message, { address, port }) => {
      if (address === this.#peer.address && port === this.#peer.port) {
        this.#take(message);
      }
    });
    this.#socket.on("error", () => this.close());
    this.#socket.on("close", () => this.#released.resolve());
    this.#watchIdle();
  }

  /** Resolves when the flow has ended and its socket is free. Never rejects. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed || this.#sending.length >= maxWaiting) return false;
    this.#lastMs = this.#options.clock.now();
    if (this.#sending.push(bytes.slice()) === 1) this.#sendNext();
    return true;
  }

  async receive(into: Uint8Array): Promise<number | null> {
    while (this.#waiting.length === 0 && !this.#closed) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
    const message = this.#waiting.shift();
    if (message === undefined) return null;
    const count = Math.min(message.length, into.length);
    into.set(message.subarray(0, count));
    return count;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#callOff();
    this.#waiting.length = this.#sending.length = 0;
    this.#socket.close();
    this.#wake.resolve();
  }

  /** One after the other: the socket sends several at once in any order, which QUIC takes for loss. */
  #sendNext(): void {
    const [bytes] = this.#sending;
    if (bytes === undefined) return;
    const { address, port } = this.#peer;
    // The network may lose a datagram anywhere, so also here.
    this.#socket.send(bytes, port, address, () => {
      this.#sending.shift();
      this.#sendNext();
    });
  }

  #take(message: Uint8Array): void {
    this.#lastMs = this.#options.clock.now();
    if (this.#waiting.length >= maxWaiting) return;
    this.#waiting.push(message);
    this.#wake.resolve();
  }

  #watchIdle(): void {
    const { clock, idleMs } = this.#options;
    const leftMs = this.#lastMs + idleMs - clock.now();
    if (leftMs <= 0) return this.close();
    this.#callOff = clock.after(leftMs, () => this.#watchIdle());
  }
}

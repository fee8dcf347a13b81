import type { Clock, Datagrams, Ip } from "../net/mod.ts";
import { refusalOfError } from "./refusal_of_error.ts";
import { UdpSocket } from "./udp_socket_linux.ts";

/** The most datagrams that wait to be received; more are dropped, as a socket would. */
const maxWaiting = 256;
/** Datagrams that are taken from a socket before it is another one's turn. */
const maxInTurn = 64;

export interface UdpDatagramsOptions {
  clock: Clock;
  /** A flow on which nothing goes either way for so long ends. */
  idleMs: number;
  /** A refusal does not end it: who asks again may find somebody. */
  isPatient?: boolean;
}

/** Received into, and copied from at once. */
const scratch = new Uint8Array(0x10000);

/**
 * A UDP flow between a socket of its own and one peer. It ends when the peer's host says that nobody has that port, or a
 * host on the way that nothing goes there: then {@link receive} rejects.
 */
export class UdpDatagrams implements Datagrams {
  readonly #socket: UdpSocket;
  readonly #options: UdpDatagramsOptions;
  readonly #waiting: Uint8Array[] = [];
  readonly #released = Promise.withResolvers<void>();
  #receiver: PromiseWithResolvers<number | null> | undefined;
  #into: Uint8Array | undefined;
  /** Instead of {@link #into}. */
  #taker: ((bytes: Uint8Array) => void) | undefined;
  /** Why it ended, when it was neither idle nor closed. */
  #failure: unknown;
  #callOff = () => {};
  #lastMs: number;
  #closed = false;

  /** @throws {RefusedError} when there is no way to the peer, or no room. */
  constructor(
    to: { readonly ip: Ip; readonly port: number },
    options: UdpDatagramsOptions,
  ) {
    this.#options = options;
    this.#lastMs = options.clock.now();
    try {
      this.#socket = new UdpSocket(to, () => this.#take());
    } catch (error) {
      throw refusalOfError(error);
    }
    this.#watchIdle();
  }

  get released(): Promise<void> {
    return this.#released.promise;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed) return false;
    this.#lastMs = this.#options.clock.now();
    const code = this.#socket.send(bytes);
    if (code !== undefined) this.#onError(code);
    return code === undefined;
  }

  /** @throws {RefusedError} after all that had come before, when the flow was refused. */
  receive(into: Uint8Array): Promise<number | null> {
    if (this.#receiver !== undefined) return Promise.reject(receivesAlready());
    const message = this.#waiting.shift();
    if (message !== undefined) return Promise.resolve(copy(message, into));
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.resolve(null);
    this.#into = into;
    this.#receiver = Promise.withResolvers();
    return this.#receiver.promise;
  }

  async forward(take: (bytes: Uint8Array) => void): Promise<void> {
    if (this.#receiver !== undefined) throw receivesAlready();
    for (const message of this.#waiting.splice(0)) take(message);
    if (this.#failure) throw this.#failure;
    if (this.#closed) return;
    this.#taker = take;
    this.#receiver = Promise.withResolvers();
    await this.#receiver.promise;
  }

  close(): void {
    this.#waiting.length = 0;
    this.#end();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#callOff();
    this.#socket.close().then(this.#released.resolve);
    if (this.#failure) this.#receiver?.reject(this.#failure);
    else this.#receiver?.resolve(null);
    this.#receiver = this.#into = undefined;
  }

  #take(): void {
    for (let taken = 0; taken < maxInTurn && !this.#closed; taken++) {
      const length = this.#socket.receive(scratch);
      if (typeof length === "string") return this.#onError(length);
      this.#lastMs = this.#options.clock.now();
      const message = scratch.subarray(0, length);
      if (this.#taker) this.#give(message, this.#taker);
      else if (this.#receiver) {
        this.#receiver.resolve(copy(message, this.#into!));
        this.#receiver = this.#into = undefined;
      } else if (this.#waiting.length < maxWaiting) {
        this.#waiting.push(message.slice());
      }
    }
  }

  /** What goes wrong there is for who called {@link forward}. */
  #give(message: Uint8Array, take: (bytes: Uint8Array) => void): void {
    try {
      take(message);
    } catch (error) {
      this.#failure = error;
      this.#end();
    }
  }

  /** The network may lose a datagram anywhere, so also here. */
  #onError(code: string): void {
    if (!refusing.includes(code) || this.#options.isPatient) return;
    const error = new Error(`The datagrams were refused: ${code}`);
    this.#failure = refusalOfError(Object.assign(error, { code }));
    this.#end();
  }

  #watchIdle(): void {
    const { clock, idleMs } = this.#options;
    const leftMs = this.#lastMs + idleMs - clock.now();
    if (leftMs <= 0) return this.close();
    this.#callOff = clock.after(leftMs, () => this.#watchIdle());
  }
}

/** What others say of the flow; all else is of one datagram (EMSGSIZE of a path that takes shorter ones, too). */
const refusing = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"];

function receivesAlready(): TypeError {
  return new TypeError("Cannot receive: a receive is under way");
}

function copy(message: Uint8Array, into: Uint8Array): number {
  const count = Math.min(message.length, into.length);
  into.set(message.subarray(0, count));
  return count;
}

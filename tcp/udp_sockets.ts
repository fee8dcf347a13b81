/**
 * Sockets to the addresses at which one peer may be, as one socket.
 *
 * 1. What is sent goes to the first address to which there is a way.
 * 2. What is refused there goes to the next, with what was sent shortly before: a refusal does not tell what it is of.
 *    Where the last refuses, too, that is told, and the first is next again.
 * 3. Who answers is the peer, and nobody else is tried any more.
 */
import type { Clock, Ip } from "../net/mod.ts";
import { SystemError } from "./_udp_libc.ts";
import { isRefusal, UdpSocket } from "./udp_socket.ts";

/** How long after it was sent, and how many, a datagram may be sent to the next address. */
const recentMs = 1_000;
const maxRecent = 8;

export interface UdpSocketsOptions {
  clock: Clock;
  /** As that of {@link UdpSocket}. */
  onReady: () => void;
}

export class UdpSockets {
  readonly #ips: readonly Ip[];
  readonly #port: number;
  readonly #options: UdpSocketsOptions;
  /** Those that are open, by the position of their address. */
  readonly #open = new Map<number, UdpSocket>();
  readonly #closed: Promise<void>[] = [];
  #at = 0;
  /** How many addresses in a row have refused. */
  #refused = 0;
  #recent: { bytes: Uint8Array; atMs: number }[] = [];
  #isAnswered = false;

  /** @throws {SystemError} when there is no way to any address. */
  constructor(
    { ips, port }: { readonly ips: readonly Ip[]; readonly port: number },
    options: UdpSocketsOptions,
  ) {
    this.#ips = ips;
    this.#port = port;
    this.#options = options;
    let failure: unknown;
    for (; this.#refused < ips.length; this.#at = ++this.#refused) {
      try {
        this.#socket();
        return;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  /** As {@link UdpSocket.send}. */
  send(bytes: Uint8Array): string | undefined {
    if (!this.#isAnswered) this.#keep(bytes);
    const code = this.#sendThere(bytes);
    return isRefusal(code) ? this.#goOn(code) : code;
  }

  /** As {@link UdpSocket.receive}. */
  receive(into: Uint8Array<ArrayBuffer>): number | string {
    for (const [at, socket] of this.#open) {
      const received = socket.receive(into);
      if (typeof received === "number") {
        this.#settle(at);
        return received;
      }
      if (at !== this.#at || !isRefusal(received)) continue;
      const code = this.#goOn(received);
      if (code !== undefined) return code;
    }
    return "EAGAIN";
  }

  /** As {@link UdpSocket.close}. */
  async close(): Promise<void> {
    for (const at of this.#open.keys()) this.#close(at);
    await Promise.all(this.#closed);
  }

  #socket(): UdpSocket {
    const open = this.#open.get(this.#at);
    if (open) return open;
    const to = { ip: this.#ips[this.#at]!, port: this.#port };
    const socket = new UdpSocket(to, this.#options.onReady);
    this.#open.set(this.#at, socket);
    return socket;
  }

  #sendThere(bytes: Uint8Array): string | undefined {
    try {
      return this.#socket().send(bytes);
    } catch (error) {
      if (error instanceof SystemError) return "ENETUNREACH";
      throw error;
    }
  }

  /** What is refused goes to the next address. Returns `code` when there is none. */
  #goOn(code: string): string | undefined {
    if (this.#isAnswered) return code;
    const count = this.#ips.length;
    while (++this.#refused < count) {
      this.#at = (this.#at + 1) % count;
      const isTaken = this.#recent.every(({ bytes }) =>
        !isRefusal(this.#sendThere(bytes))
      );
      if (isTaken) return undefined;
    }
    this.#refused = 0;
    this.#at = (this.#at + 1) % count;
    this.#recent = [];
    return code;
  }

  #keep(bytes: Uint8Array): void {
    const atMs = this.#options.clock.now();
    this.#recent = [
      ...this.#recent.filter((one) => one.atMs + recentMs > atMs),
      { bytes: bytes.slice(), atMs },
    ].slice(-maxRecent);
  }

  #settle(at: number): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#at = at;
    this.#recent = [];
    for (const other of this.#open.keys()) {
      if (other !== at) this.#close(other);
    }
  }

  #close(at: number): void {
    this.#closed.push(this.#open.get(at)!.close());
    this.#open.delete(at);
  }
}

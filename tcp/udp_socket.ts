import type { Endpoint } from "../net/mod.ts";
import { doNotWait } from "../libc/mod.ts";
import { families } from "./_abi.ts";
import { unwatchReadable, watchReadable } from "./_readable.ts";
import { sockaddrOf } from "./_sockaddr.ts";
import {
  errorCode,
  libc,
  openDatagramSocket,
  SystemError,
} from "./_udp_libc.ts";
import type { UdpLocalPort } from "./udp_local_port.ts";

/**
 * A socket for datagrams that is connected to one peer: it hears of no other, but of that peer's port that nobody has it
 * (ICMP, RFC 1122 section 4.1.3.3), which `node:dgram` does not tell, connected or not.
 */
export class UdpSocket {
  readonly #fd: number;

  /**
   * @param onReady Called when there is something to receive, an error included, and again until nothing is left.
   * @param localPort Where it sends from; without, from a port of its own.
   * @throws {SystemError}
   */
  constructor(to: Endpoint, onReady: () => void, localPort?: UdpLocalPort) {
    this.#fd = openDatagramSocket(families[to.ip.family]);
    try {
      localPort?.bind(this.#fd);
      const address = sockaddrOf(to);
      if (libc.connect(this.#fd, address, address.length) < 0) {
        throw new SystemError(`send to "${to.ip}"`);
      }
      localPort?.takeBack(this.#fd);
      watchReadable(this.#fd, onReady);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
  }

  /** Sends a datagram. What came of it: `undefined`, or the C library's name of the error, of this or one before. */
  send(bytes: Uint8Array): string | undefined {
    const octets = bytes as Uint8Array<ArrayBuffer>;
    const sent = libc.send(this.#fd, octets, BigInt(bytes.length), doNotWait);
    return Number(sent) < 0 ? errorCode() : undefined;
  }

  /** Receives a datagram into `into`: its length, or the name of the error, "EAGAIN" when there is none. */
  receive(into: Uint8Array<ArrayBuffer>): number | string {
    const length = Number(
      libc.recv(this.#fd, into, BigInt(into.length), doNotWait),
    );
    return length < 0 ? errorCode() : length;
  }

  /** Once. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    const unwatched = unwatchReadable(this.#fd);
    libc.close(this.#fd);
    await unwatched;
  }
}

/** Whether others say it of the flow; all else is of one datagram (EMSGSIZE of a path that takes shorter ones, too). */
export function isRefusal(code: string | undefined): code is string {
  return code === "ECONNREFUSED" || code === "EHOSTUNREACH" ||
    code === "ENETUNREACH";
}

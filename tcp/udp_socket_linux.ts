import type { Ip } from "../net/mod.ts";
import { unwatchReadable, watchReadable } from "./_readable_linux.ts";
import {
  closeOnExec,
  errorCode,
  libc,
  nonBlocking,
  SystemError,
} from "./_udp_libc_linux.ts";

const families = { 4: 2, 6: 10 } as const; // AF_INET, AF_INET6
const datagrams = 2 | closeOnExec | nonBlocking; // SOCK_DGRAM
const sockaddrBytes = { 4: 16, 6: 28 } as const;
/** Where the address stands in a `sockaddr`, behind family, port and, of IPv6, the flow. */
const ipAt = { 4: 4, 6: 8 } as const;

/**
 * A socket for datagrams that is connected to one peer: it hears of no other, but of that peer's port that nobody has it
 * (ICMP, RFC 1122 section 4.1.3.3), which `node:dgram` does not tell, connected or not.
 */
export class UdpSocket {
  readonly #fd: number;

  /**
   * @param onReady Called when there is something to receive, an error included, and again until nothing is left.
   * @throws {SystemError}
   */
  constructor(
    to: { readonly ip: Ip; readonly port: number },
    onReady: () => void,
  ) {
    const { ip, port } = to;
    const { family } = ip;
    this.#fd = libc.socket(families[family], datagrams, 0);
    if (this.#fd < 0) throw new SystemError("open a socket");
    const address = new Uint8Array(sockaddrBytes[family]);
    address.set([families[family], 0, port >> 8, port & 255]);
    address.set(ip.bytes, ipAt[family]);
    try {
      if (libc.connect(this.#fd, address, address.length) < 0) {
        throw new SystemError(`send to "${ip}"`);
      }
      watchReadable(this.#fd, onReady);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
  }

  /** Sends a datagram. What came of it: `undefined`, or the C library's name of the error, of this or one before. */
  send(bytes: Uint8Array): string | undefined {
    const octets = bytes as Uint8Array<ArrayBuffer>;
    const sent = libc.send(this.#fd, octets, BigInt(bytes.length), 0);
    return Number(sent) < 0 ? errorCode() : undefined;
  }

  /** Receives a datagram into `into`: its length, or the name of the error, "EAGAIN" when there is none. */
  receive(into: Uint8Array<ArrayBuffer>): number | string {
    const length = Number(
      libc.recv(this.#fd, into, BigInt(into.length), 0),
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

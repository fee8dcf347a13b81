/**
 * ICMP echo without privilege: a socket for datagrams of ICMP (icmp(7)), which a process may have whose group is in
 * `net.ipv4.ping_group_range`; that counts for both families.
 */
import { doNotWait, libcPath } from "../libc/mod.ts";
import { Ip } from "../net/mod.ts";
import type { PingSocket } from "./ping_socket.ts";

// Values of the C library's headers, equal on x86-64 and arm64.
const families = { 4: 2, 6: 10 } as const; // AF_INET, AF_INET6
const protocols = { 4: 1, 6: 58 } as const; // IPPROTO_ICMP, IPPROTO_ICMPV6
const datagrams = 2 | 0x80000; // SOCK_DGRAM | SOCK_CLOEXEC
const solSocket = 1;
const receiveTimeout = 20; // SO_RCVTIMEO

const waitMs = 200;
const addressOctets = 28;

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  sendto: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"],
    result: "isize",
  },
  // Waits on a thread of its own.
  recvfrom: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer"],
    result: "isize",
    nonblocking: true,
  },
} as const;

const library = Deno.build.os === "linux"
  ? Deno.dlopen(libcPath, calls)
  : undefined;

/** Opens a socket; `undefined` when the kernel does not let this process, has no such family, or is not Linux. */
export function openPingSocket(family: 4 | 6): PingSocket | undefined {
  if (library === undefined) return undefined;
  const { symbols } = library;
  const fd = symbols.socket(families[family], datagrams, protocols[family]);
  if (fd < 0) return undefined;
  const timeout = new BigInt64Array([0n, BigInt(waitMs * 1000)]);
  const octets = new Uint8Array(timeout.buffer);
  symbols.setsockopt(fd, solSocket, receiveTimeout, octets, octets.length);
  return new LinuxPingSocket(symbols, fd, family);
}

type Symbols = Deno.StaticForeignLibraryInterface<typeof calls>;

class LinuxPingSocket implements PingSocket {
  readonly #symbols: Symbols;
  readonly #fd: number;
  readonly #family: 4 | 6;
  readonly #to: Uint8Array<ArrayBuffer>;
  readonly #from = new Uint8Array(addressOctets);
  readonly #fromLength = new Uint8Array(4);

  constructor(symbols: Symbols, fd: number, family: 4 | 6) {
    this.#symbols = symbols;
    this.#fd = fd;
    this.#family = family;
    this.#to = new Uint8Array(family === 4 ? 16 : addressOctets);
    this.#to[0] = families[family];
  }

  send(to: Ip, message: Uint8Array<ArrayBuffer>): boolean {
    this.#to.set(to.bytes, this.#ipAt);
    const sent = this.#symbols.sendto(
      ...[this.#fd, message, BigInt(message.length), doNotWait] as const,
      ...[this.#to, this.#to.length] as const,
    );
    return Number(sent) === message.length;
  }

  async receive(
    into: Uint8Array<ArrayBuffer>,
  ): Promise<{ from: Ip; length: number } | undefined> {
    this.#fromLength[0] = addressOctets;
    const received = await this.#symbols.recvfrom(
      ...[this.#fd, into, BigInt(into.length), 0] as const,
      ...[this.#from, this.#fromLength] as const,
    );
    const length = Number(received);
    if (length < 0) return undefined;
    const at = this.#ipAt;
    const octets = this.#family === 4 ? 4 : 16;
    return { from: Ip.of(this.#from.subarray(at, at + octets)), length };
  }

  close(): void {
    this.#symbols.close(this.#fd);
  }

  /** Where the address stands in a `sockaddr`. */
  get #ipAt(): number {
    return this.#family === 4 ? 4 : 8;
  }
}

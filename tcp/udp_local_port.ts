import { doNotWait } from "../libc/mod.ts";
import { type Clock, type Endpoint, Ip, Rate } from "../net/mod.ts";
import { families, sockaddrOctets } from "./_abi.ts";
import { unwatchReadable, watchReadable } from "./_readable.ts";
import { endpointOf, sockaddrOf } from "./_sockaddr.ts";
import { libc, openDatagramSocket, SystemError } from "./_udp_libc.ts";

const isDarwin = Deno.build.os === "darwin";
/** An option that is on or off: its level and its name. */
type Option = readonly [level: number, name: number];
/** By which several sockets have one local port: SO_REUSEADDR, or SO_REUSEPORT where that is said so. */
const sharedPort: Option = isDarwin ? [0xffff, 0x200] : [1, 2];
/** IPV6_V6ONLY */
const ipv6Only: Option = isDarwin ? [41, 27] : [41, 26];
const yes = new Uint8Array(new Int32Array([1]).buffer);

const wildcards = { 4: Ip.parse("0.0.0.0"), 6: Ip.parse("::") } as const;

/** Datagrams that are taken before it is another socket's turn. */
const maxInTurn = 64;
/** Datagrams of peers without a socket, and how long none is taken of more. The kernel drops what does not wait so long. */
const rate = { perSecond: 640, burst: 256 };
const restMs = 100;

/** Received into, and copied from at once. */
const scratch = new Uint8Array(0x10000);
const sender = new Uint8Array(sockaddrOctets);
const senderLength = new Uint32Array(1);
const senderLengthOctets = new Uint8Array(senderLength.buffer);

export interface UdpLocalPortOptions {
  family: 4 | 6;
  /** Given what came of a peer to which no socket on the port is connected. The bytes are to be read during the call only. */
  onDatagram: (bytes: Uint8Array, from: Endpoint) => void;
  clock: Clock;
}

/**
 * A port of this host that several connected sockets share. The kernel gives each what its own peer sends, and the port
 * itself the rest.
 */
export class UdpLocalPort {
  readonly #fd: number;
  readonly #options: UdpLocalPortOptions;
  readonly #address: Uint8Array<ArrayBuffer>;
  readonly #rate: Rate;
  #unwatched = Promise.resolve();
  #callOff = () => {};

  /** @throws {SystemError} when the system has no port or no room. */
  constructor(options: UdpLocalPortOptions) {
    const { family, clock } = options;
    this.#options = options;
    this.#rate = new Rate({ clock, ...rate });
    this.#fd = openDatagramSocket(families[family]);
    try {
      this.#address = this.#takePort(family);
      // Only once it has one: what may be shared may be given to two.
      turnOn(this.#fd, sharedPort);
      this.#watch();
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
  }

  /** Has a socket send from here. To be connected at once, and then given to {@link takeBack}. @throws {SystemError} */
  bind(fd: number): void {
    if (this.#options.family === 6) turnOn(fd, ipv6Only);
    turnOn(fd, sharedPort);
    if (libc.bind(fd, this.#address, this.#address.length) < 0) {
      throw new SystemError("take a port");
    }
  }

  /** Takes what came to a socket before it was connected, which may be of anybody. */
  takeBack(fd: number): void {
    while (this.#takeOne(fd));
  }

  /** Once. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#callOff();
    const unwatched = unwatchReadable(this.#fd);
    libc.close(this.#fd);
    await Promise.all([unwatched, this.#unwatched]);
  }

  /** The address of all interfaces with a port that nobody else has. */
  #takePort(family: 4 | 6): Uint8Array<ArrayBuffer> {
    if (family === 6) turnOn(this.#fd, ipv6Only);
    const wanted = sockaddrOf({ ip: wildcards[family], port: 0 });
    if (libc.bind(this.#fd, wanted, wanted.length) < 0) {
      throw new SystemError("take a port");
    }
    senderLength[0] = sockaddrOctets;
    if (libc.getsockname(this.#fd, sender, senderLengthOctets) < 0) {
      throw new SystemError("tell the port");
    }
    const { port } = endpointOf(sender, family);
    return sockaddrOf({ ip: wildcards[family], port });
  }

  #watch(): void {
    watchReadable(this.#fd, () => this.#take());
  }

  #take(): void {
    for (let taken = 0; taken < maxInTurn; taken++) {
      if (!this.#takeOne(this.#fd)) return;
      if (!this.#rate.take()) return this.#rest();
    }
  }

  #rest(): void {
    this.#unwatched = unwatchReadable(this.#fd);
    this.#callOff = this.#options.clock.after(restMs, () => this.#watch());
  }

  /** False when there is nothing. */
  #takeOne(fd: number): boolean {
    const { family, onDatagram } = this.#options;
    senderLength[0] = sockaddrOctets;
    const length = Number(libc.recvfrom(
      ...[fd, scratch, BigInt(scratch.length), doNotWait] as const,
      ...[sender, senderLengthOctets] as const,
    ));
    if (length < 0) return false;
    onDatagram(scratch.subarray(0, length), endpointOf(sender, family));
    return true;
  }
}

function turnOn(fd: number, [level, name]: Option): void {
  if (libc.setsockopt(fd, level, name, yes, yes.length) < 0) {
    throw new SystemError("share a port");
  }
}

import {
  type Clock,
  DatagramInbox,
  type Datagrams,
  type Ip,
  type RefusedError,
} from "../net/mod.ts";
import { refusalOfError } from "./refusal_of_error.ts";
import { isRefusal, UdpSocket } from "./udp_socket.ts";
import { UdpSockets } from "./udp_sockets.ts";

/** The most datagrams that wait to be received. */
const defaultMaxWaiting = 256;
/** Datagrams that are taken from a socket before it is another one's turn. */
const maxInTurn = 64;

export interface UdpPeer {
  readonly ip: Ip;
  /** Where it may be, too: until it has answered, what one address refuses goes to the next. */
  readonly others?: readonly Ip[];
  readonly port: number;
}

export interface UdpDatagramsOptions {
  clock: Clock;
  /** A flow on which nothing goes either way for so long ends. */
  idleMs: number;
  /** A refusal does not end it: who asks again may find somebody. */
  isPatient?: boolean;
  /** Is told of each refusal that does not end it. */
  onRefused?: () => void;
  /** How many datagrams wait to be received; more are dropped, as a socket would. */
  maxWaiting?: number;
  /** In place of a socket that has a port of its own. @throws {SystemError} */
  openSocket?: (onReady: () => void) => DatagramSocket;
}

/** What a flow needs of {@link UdpSocket}. */
type DatagramSocket = Pick<UdpSocket, "send" | "receive" | "close">;

/** Received into, and copied from at once. */
const scratch = new Uint8Array(0x10000);

/**
 * A UDP flow between a socket of its own and one peer. It ends when the peer's host says that nobody has that port, or a
 * host on the way that nothing goes there: then {@link receive} rejects.
 */
export class UdpDatagrams implements Datagrams {
  readonly #socket: DatagramSocket;
  readonly #options: UdpDatagramsOptions;
  readonly #inbox: DatagramInbox;
  readonly #released = Promise.withResolvers<void>();
  #callOff = () => {};
  #lastMs: number;
  #closed = false;

  /** @throws {RefusedError} when there is no way to the peer, or no room. */
  constructor(
    to: UdpPeer,
    options: UdpDatagramsOptions,
  ) {
    const { ip, others = [], port } = to;
    const { clock, openSocket, maxWaiting = defaultMaxWaiting } = options;
    this.#inbox = new DatagramInbox(maxWaiting);
    this.#options = options;
    this.#lastMs = clock.now();
    const onReady = () => this.#take();
    try {
      this.#socket = openSocket
        ? openSocket(onReady)
        : others.length === 0
        ? new UdpSocket({ ip, port }, onReady)
        : new UdpSockets({ ips: [ip, ...others], port }, { clock, onReady });
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
    return this.#inbox.receive(into);
  }

  forward(take: (bytes: Uint8Array) => void): Promise<void> {
    return this.#inbox.forward(take);
  }

  close(): void {
    this.#inbox.clear();
    this.#end();
  }

  /** Takes a datagram of the peer that came by another way than the socket. Copies it. */
  hear(bytes: Uint8Array): void {
    this.#lastMs = this.#options.clock.now();
    this.#inbox.put(bytes);
  }

  #end(failure?: RefusedError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#callOff();
    this.#socket.close().then(this.#released.resolve);
    this.#inbox.end(failure);
  }

  #take(): void {
    for (let taken = 0; taken < maxInTurn && !this.#closed; taken++) {
      const length = this.#socket.receive(scratch);
      if (typeof length === "string") return this.#onError(length);
      this.hear(scratch.subarray(0, length));
    }
  }

  /** The network may lose a datagram anywhere, so also here. */
  #onError(code: string): void {
    if (!isRefusal(code)) return;
    const { isPatient, onRefused } = this.#options;
    if (isPatient) return onRefused?.();
    const error = new Error(`The datagrams were refused: ${code}`);
    this.#end(refusalOfError(Object.assign(error, { code })));
  }

  #watchIdle(): void {
    const { clock, idleMs } = this.#options;
    const leftMs = this.#lastMs + idleMs - clock.now();
    if (leftMs <= 0) return this.close();
    this.#callOff = clock.after(leftMs, () => this.#watchIdle());
  }
}

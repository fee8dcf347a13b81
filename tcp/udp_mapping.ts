import {
  type Clock,
  type Endpoint,
  formatEndpoint,
  RefusedError,
} from "../net/mod.ts";
import { refusalOfError } from "./refusal_of_error.ts";
import { UdpDatagrams } from "./udp_datagrams.ts";
import { UdpLocalPort } from "./udp_local_port.ts";
import { UdpSocket } from "./udp_socket.ts";

/** Datagrams of a stranger that wait until somebody receives them. */
const maxOfStranger = 8;

export interface UdpMappingOptions {
  /** Of all peers. */
  family: 4 | 6;
  clock: Clock;
  /** As of {@link UdpDatagrams}. */
  idleMs: number;
  /**
   * A peer sent to which no flow goes. What it sent is lost, unless `open` is called at once: then it is the first in that
   * flow, if the system has room for one. Must not throw.
   */
  onStranger: (from: Endpoint, open: () => UdpDatagrams | undefined) => void;
  /** The last flow has ended; it opens no other. */
  onEmpty: () => void;
}

/**
 * Flows of one source, which all leave by one port, so that every peer sees it at the same one: an endpoint-independent
 * mapping (RFC 4787 section 4.1). It lasts as long as any of its flows.
 */
export class UdpMapping {
  readonly #options: UdpMappingOptions;
  readonly #port: UdpLocalPort;
  /** By the peer. */
  readonly #flows = new Map<string, UdpDatagrams>();
  /** What comes while a flow is made may be of that flow. */
  #early: { bytes: Uint8Array; from: Endpoint }[] | undefined;
  #closed: Promise<void> | undefined;

  /** Empty: to be opened a flow at once. @throws {RefusedError} when the system has no port. */
  constructor(options: UdpMappingOptions) {
    this.#options = options;
    const { family, clock } = options;
    try {
      this.#port = new UdpLocalPort({
        ...{ family, clock },
        onDatagram: (bytes, from) => this.#hear(bytes, from),
      });
    } catch (error) {
      throw refusalOfError(error);
    }
  }

  /** How many flows there are. */
  get size(): number {
    return this.#flows.size;
  }

  /**
   * A flow to a peer. One that goes there already ends, with what it has heard and nobody has received.
   *
   * @throws {RefusedError} as {@link UdpDatagrams} does.
   */
  open(to: Endpoint): UdpDatagrams {
    return this.#open(to);
  }

  #open(to: Endpoint, maxWaiting?: number): UdpDatagrams {
    const key = formatEndpoint(to.ip, to.port);
    this.#early = [];
    try {
      this.#flows.get(key)?.close();
      const { clock, idleMs } = this.#options;
      const flow: UdpDatagrams = new UdpDatagrams(to, {
        ...{ clock, idleMs },
        ...maxWaiting === undefined ? {} : { maxWaiting },
        openSocket: (onReady) => {
          const socket = new UdpSocket(to, onReady, this.#port);
          return {
            send: (bytes) => socket.send(bytes),
            receive: (into) => socket.receive(into),
            close: async () => {
              await Promise.all([socket.close(), this.#forget(key, flow)]);
            },
          };
        },
      });
      this.#flows.set(key, flow);
      return flow;
    } finally {
      const early = this.#early;
      this.#early = undefined;
      for (const { bytes, from } of early) this.#hear(bytes, from);
      void this.#closeIfEmpty();
    }
  }

  #hear(bytes: Uint8Array, from: Endpoint): void {
    if (this.#closed) return;
    if (this.#early) {
      this.#early.push({ bytes: bytes.slice(), from });
      return;
    }
    const known = this.#flows.get(formatEndpoint(from.ip, from.port));
    if (known) return known.hear(bytes);
    this.#options.onStranger(from, () => this.#openToStranger(from, bytes));
  }

  #openToStranger(
    from: Endpoint,
    bytes: Uint8Array,
  ): UdpDatagrams | undefined {
    // What is received meanwhile comes into the same memory.
    const first = bytes.slice();
    try {
      const flow = this.#open(from, maxOfStranger);
      flow.hear(first);
      return flow;
    } catch (error) {
      if (error instanceof RefusedError) return undefined;
      throw error;
    }
  }

  async #forget(key: string, flow: UdpDatagrams): Promise<void> {
    if (this.#flows.get(key) === flow) this.#flows.delete(key);
    await this.#closeIfEmpty();
  }

  async #closeIfEmpty(): Promise<void> {
    if (this.#flows.size > 0 || this.#early) return;
    if (this.#closed === undefined) {
      this.#closed = this.#port.close();
      this.#options.onEmpty();
    }
    await this.#closed;
  }
}

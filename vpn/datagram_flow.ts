import {
  type Clock,
  type Datagrams,
  type Endpoint,
  forwardDatagrams,
  type IpPacket,
  type Refusal,
  RefusedError,
  udpIdleMs,
} from "../net/mod.ts";
import type { Counters } from "./counters.ts";
import { type DialDatagrams, settleDial } from "./dial.ts";
import type { DatagramShape } from "./datagram_shape.ts";

/** Datagrams that wait for the dial. */
const waitingLimit = 32;
/** A question and its answer need no more. */
const idleDnsMs = 10_000;
const dnsPort = 53;

export interface DatagramFlowOptions {
  /** The app. */
  from: Endpoint;
  /** The service. */
  to: Endpoint;
  shape: DatagramShape;
  dialDatagrams: DialDatagrams;
  write: (frame: Uint8Array<ArrayBuffer>, length: number) => void;
  counters: Counters;
  clock: Clock;
}

/** One flow of datagrams: what its app sends goes into the dialled flow of datagrams, and what comes out of it to the app. */
export class DatagramFlow {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly #options: DatagramFlowOptions;
  readonly #abort = new AbortController();
  /** What came before the dial was answered. */
  #waiting: Uint8Array[] = [];
  #datagrams: Datagrams | undefined;
  #lastMs: number;
  /** Resolves when the flow has ended: to the refusal, if the dial or what was sent was refused. Never rejects. */
  readonly ended: Promise<Refusal | undefined>;

  constructor(options: DatagramFlowOptions) {
    this.from = options.from;
    this.to = options.to;
    this.#options = options;
    this.#lastMs = options.clock.now();
    this.ended = this.#serve();
  }

  /** When something was last sent or received. */
  get lastMs(): number {
    return this.#lastMs;
  }

  get isIdle(): boolean {
    const limitMs = this.to.port === dnsPort ? idleDnsMs : udpIdleMs.opener;
    return this.#options.clock.now() - this.#lastMs >= limitMs;
  }

  /** True when a packet of the laptop, whose ports are this flow's, goes to its service. */
  isTo({ bytes, destination, family }: IpPacket): boolean {
    const { ip } = this.to;
    if (family !== ip.family) return false;
    for (let i = 0; i < ip.bytes.length; i++) {
      if (bytes[destination + i] !== ip.bytes[i]) return false;
    }
    return true;
  }

  /** Sends a datagram to the service. Copies it. */
  send(payload: Uint8Array): void {
    const { shape: { kind }, counters, clock } = this.#options;
    this.#lastMs = clock.now();
    counters.add(`${kind}_from_apps`);
    if (this.#datagrams) {
      if (!this.#datagrams.send(payload)) counters.add(`${kind}_dropped`);
    } else if (this.#waiting.length < waitingLimit) {
      this.#waiting.push(payload.slice());
    } else counters.add(`${kind}_dropped`);
  }

  close(): void {
    this.#abort.abort();
    this.#datagrams?.close();
  }

  async #serve(): Promise<Refusal | undefined> {
    const { from, to, shape, dialDatagrams, counters } = this.#options;
    const { signal } = this.#abort;
    counters.add(`${shape.kind}_dialled`);
    const result = await settleDial(
      (signal) => dialDatagrams(to, { from, signal }),
      { signal, undo: (datagrams) => datagrams.close() },
    );
    if ("refusal" in result) {
      return signal.aborted ? undefined : result.refusal;
    }
    const { opened: datagrams } = result;
    this.#datagrams = datagrams;
    for (const payload of this.#waiting) {
      if (!datagrams.send(payload)) counters.add(`${shape.kind}_dropped`);
    }
    this.#waiting = [];
    try {
      await this.#answer(datagrams);
    } catch (error) {
      if (error instanceof RefusedError && !signal.aborted) {
        return error.refusal;
      }
    } finally {
      datagrams.close();
    }
    return undefined;
  }

  async #answer(datagrams: Datagrams): Promise<void> {
    const { from, to, shape, write, counters, clock } = this.#options;
    const answer = shape.openAnswer({ from: to, to: from });
    await forwardDatagrams(datagrams, (payload) => {
      if (this.#abort.signal.aborted) return;
      this.#lastMs = clock.now();
      const frame = answer.frame(payload);
      if (frame === undefined) return;
      write(...frame);
      counters.add(`${shape.kind}_to_apps`);
    });
  }
}

import type { Clock, Datagrams, IpPacket, Refusal } from "../net/mod.ts";
import type { Counters } from "./counters.ts";
import { type DialDatagrams, type Endpoint, settleDial } from "./dial.ts";
import { UdpAnswer } from "./udp_answer.ts";

/** Datagrams that wait for the dial. */
const waitingLimit = 32;
const idleMs = 60_000;
/** A question and its answer need no more. */
const idleDnsMs = 10_000;
const dnsPort = 53;

export interface UdpFlowOptions {
  /** The app. */
  from: Endpoint;
  /** The service. */
  to: Endpoint;
  dialDatagrams: DialDatagrams;
  write: (frame: Uint8Array<ArrayBuffer>, length: number) => void;
  counters: Counters;
  clock: Clock;
}

/** One UDP flow: what its app sends goes into the dialled flow of datagrams, and what comes out of it to the app. */
export class UdpFlow {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly #options: UdpFlowOptions;
  readonly #abort = new AbortController();
  /** What came before the dial was answered. */
  #waiting: Uint8Array[] = [];
  #datagrams: Datagrams | undefined;
  #lastMs: number;
  /** Resolves when the flow has ended: to the refusal, if the dial was refused. Never rejects. */
  readonly ended: Promise<Refusal | undefined>;

  constructor(options: UdpFlowOptions) {
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
    const limitMs = this.to.port === dnsPort ? idleDnsMs : idleMs;
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
    const { counters, clock } = this.#options;
    this.#lastMs = clock.now();
    counters.add("udp_from_apps");
    if (this.#datagrams) {
      if (!this.#datagrams.send(payload)) counters.add("udp_dropped");
    } else if (this.#waiting.length < waitingLimit) {
      this.#waiting.push(payload.slice());
    } else counters.add("udp_dropped");
  }

  close(): void {
    this.#abort.abort();
    this.#datagrams?.close();
  }

  async #serve(): Promise<Refusal | undefined> {
    const { from, to, dialDatagrams, counters } = this.#options;
    const { signal } = this.#abort;
    counters.add("udp_dialled");
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
      if (!datagrams.send(payload)) counters.add("udp_dropped");
    }
    this.#waiting = [];
    await this.#answer(datagrams).catch(() => {});
    datagrams.close();
    return undefined;
  }

  async #answer(datagrams: Datagrams): Promise<void> {
    const { from, to, write, counters, clock } = this.#options;
    using answer = new UdpAnswer({ from: to, to: from });
    for (;;) {
      const payloadBytes = await datagrams.receive(answer.payload);
      if (payloadBytes === null || this.#abort.signal.aborted) return;
      this.#lastMs = clock.now();
      write(...answer.frame(payloadBytes));
      counters.add("udp_to_apps");
    }
  }
}

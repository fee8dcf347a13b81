/** What both threads count, in shared memory. The names are those of `tp status`. */
export const counterNames = [
  /** Packets that were turned round, each way. */
  "packets_from_apps",
  "packets_to_apps",
  /** No well-formed packet. */
  "dropped_malformed",
  /** Of an address that is not this laptop's own: forwarded for somebody else. */
  "dropped_foreign",
  /** Multicast, ICMP other than echo requests, and protocols other than TCP and UDP. */
  "dropped_unsupported",
  /** Had no hop left, which its sender was told. */
  "expired",
  /** For a flow that is not, or no longer, known. */
  "dropped_unknown_flow",
  /** The table of flows, the queue to the main thread, or the kernel had no room. */
  "dropped_table_full",
  "dropped_queue_full",
  "dropped_by_kernel",
  /** TCP flows: dialled, accepted by the service, refused, given up by the app before the answer. */
  "tcp_dialled",
  "tcp_opened",
  "tcp_refused",
  "tcp_abandoned",
  /** SYNs that found too many others waiting. */
  "tcp_overloaded",
  /** Connections to our listener that no flow stands behind. */
  "tcp_strangers",
  "udp_dialled",
  "udp_refused",
  /** UDP flows that were ended to make room for others. */
  "udp_evicted",
  "udp_from_apps",
  "udp_to_apps",
  /** Datagrams that found no room or came in pieces that do not fit. */
  "udp_dropped",
  /** Of ICMP echo, the same: a flow is what one program asks of one address. */
  "echo_dialled",
  "echo_refused",
  "echo_evicted",
  "echo_from_apps",
  "echo_to_apps",
  /** Also those that came too fast. */
  "echo_dropped",
  /** Flows for which the other end can send no echo requests: they are left without an answer. */
  "echo_unsupported",
] as const;

export type CounterName = typeof counterNames[number];

export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly #values: Uint32Array;

  constructor(memory = new SharedArrayBuffer(counterNames.length * 4)) {
    this.memory = memory;
    this.#values = new Uint32Array(memory);
  }

  /** A counter by its place, for the packet path. */
  static indexOf(name: CounterName): number {
    return counterNames.indexOf(name);
  }

  addAt(index: number): void {
    Atomics.add(this.#values, index, 1);
  }

  add(name: CounterName): void {
    this.addAt(Counters.indexOf(name));
  }

  /** All values at once; each is counted modulo 2^32. */
  read(): Record<CounterName, number> {
    const entries = counterNames.map((name, index) =>
      [name, Atomics.load(this.#values, index)] as const
    );
    return Object.fromEntries(entries) as Record<CounterName, number>;
  }
}

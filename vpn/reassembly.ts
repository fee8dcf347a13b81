import { type Clock, type IpPacket, systemClock } from "../net/mod.ts";

/** Datagrams at a time that wait for fragments, and how long: their kernel is this host's own and sends them at once. */
const datagramLimit = 32;
const waitMs = 5_000;
const largestBytes = 0x10000;

interface Partial {
  bytes: Uint8Array;
  /** Octets that have come. */
  received: number;
  spans: { from: number; to: number }[];
  /** Length of the whole; known when the last fragment has come. */
  total?: number;
  sinceMs: number;
}

/** Puts the datagrams together that an app's kernel had to cut into fragments (RFC 791 section 3.2, RFC 8200 section 4.5). */
export class Reassembly {
  readonly #clock: Clock;
  readonly #partials = new Map<string, Partial>();
  #dropped = 0;

  constructor({ clock = systemClock }: { clock?: Clock } = {}) {
    this.#clock = clock;
  }

  /** Datagrams given up for want of room, time or sense. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a fragment. Returns the whole, from its UDP header on, once all have come. */
  add(packet: IpPacket): Uint8Array | undefined {
    this.#forget();
    const key =
      `${packet.sourceIp} ${packet.destinationIp} ${packet.identification}`;
    const partial = this.#partials.get(key) ?? this.#begin(key);
    if (!put(partial, packet)) {
      this.#partials.delete(key);
      this.#dropped++;
      return undefined;
    }
    if (partial.received !== partial.total) return undefined;
    this.#partials.delete(key);
    return partial.bytes.subarray(0, partial.total);
  }

  /** Room is made by the oldest: whose fragments come late, rarely come. */
  #begin(key: string): Partial {
    if (this.#partials.size >= datagramLimit) {
      const [oldest] = this.#partials.keys();
      this.#partials.delete(oldest!);
      this.#dropped++;
    }
    const partial: Partial = {
      bytes: new Uint8Array(largestBytes),
      received: 0,
      spans: [],
      sinceMs: this.#clock.now(),
    };
    this.#partials.set(key, partial);
    return partial;
  }

  #forget(): void {
    for (const [key, { sinceMs }] of this.#partials) {
      if (this.#clock.now() - sinceMs < waitMs) return;
      this.#partials.delete(key);
      this.#dropped++;
    }
  }
}

/** False when the fragment cannot belong to any datagram; overlapping ones never do (RFC 5722). */
function put(partial: Partial, packet: IpPacket): boolean {
  const data = packet.bytes.subarray(packet.payload, packet.end);
  const from = packet.fragmentOffset;
  const to = from + data.length;
  if (data.length === 0 || to > largestBytes) return false;
  if (partial.spans.some((span) => from < span.to && span.from < to)) {
    return false;
  }
  if (!packet.moreFragments) {
    if (partial.total !== undefined) return false;
    partial.total = to;
  }
  if (partial.total !== undefined && to > partial.total) return false;
  if (partial.spans.some((span) => span.to > (partial.total ?? Infinity))) {
    return false;
  }
  partial.bytes.set(data, from);
  partial.spans.push({ from, to });
  partial.received += data.length;
  return true;
}

import type { Clock, Ip } from "../../net/mod.ts";

/** How long an address counts that its name has no longer. */
const keepMs = 300_000;
/** More addresses of one name than these do not count; the one that was not seen for longest gives way. */
const maxAddresses = 64;

export interface SeenAddressesOptions {
  clock: Clock;
  /** Whether something is connected to an address, which then counts for as long. */
  isInUse?: (ip: Ip) => boolean;
}

/** The addresses of a name, with those that it had a short while ago: names give theirs in turns. */
export class SeenAddresses {
  readonly #options: SeenAddressesOptions;
  /** By their text, each with when it was seen last; in that order. */
  readonly #seen = new Map<string, { ip: Ip; atMs: number }>();

  constructor(options: SeenAddressesOptions) {
    this.#options = options;
  }

  /** The one that was seen last stands last. */
  get all(): Ip[] {
    return [...this.#seen.values()].map(({ ip }) => ip);
  }

  /** Takes what the name has by now. Returns whether others count than before. */
  note(ips: readonly Ip[]): boolean {
    const atMs = this.#options.clock.now();
    const before = this.#text();
    for (const ip of ips) {
      this.#seen.delete(String(ip));
      this.#seen.set(String(ip), { ip, atMs });
    }
    this.#forget(atMs);
    return this.#text() !== before;
  }

  #forget(nowMs: number): void {
    const { isInUse = () => false } = this.#options;
    for (const [text, { ip, atMs }] of this.#seen) {
      const isOver = atMs + keepMs < nowMs && !isInUse(ip);
      if (isOver || this.#seen.size > maxAddresses) this.#seen.delete(text);
    }
  }

  #text(): string {
    return [...this.#seen.keys()].sort().join();
  }
}

import type { Clock } from "../net/mod.ts";

/** A nameserver's message and how long it has been kept. */
export interface KeptMessage {
  readonly message: Uint8Array;
  readonly ageSeconds: number;
}

/**
 * A nameserver's messages by key, each for as long as it says. Bounded: the one unused for longest makes room. They are
 * kept as they came: thousands of answers of a dozen objects each would be gone through whenever garbage is collected.
 */
export class AnswerCache {
  readonly #entries = new Map<
    string,
    { message: Uint8Array; storedMs: number; endMs: number }
  >();
  readonly #clock: Clock;
  readonly #capacity: number;

  /** @param options.capacity The most messages that are kept. */
  constructor({ clock, capacity }: { clock: Clock; capacity: number }) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() < entry.endMs;
  }

  get(key: string): KeptMessage | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    const now = this.#clock.now();
    if (now >= entry.endMs) return undefined;
    this.#entries.set(key, entry);
    const ageSeconds = Math.floor((now - entry.storedMs) / 1000);
    return { message: entry.message, ageSeconds };
  }

  /** Keeps `message`, which nobody changes, for that time. */
  put(
    key: string,
    message: Uint8Array,
    { seconds }: { seconds: number },
  ): void {
    this.#entries.delete(key);
    if (seconds === 0) return;
    const storedMs = this.#clock.now();
    const endMs = storedMs + seconds * 1000;
    this.#entries.set(key, { message, storedMs, endMs });
    if (this.#entries.size > this.#capacity) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest!);
    }
  }
}

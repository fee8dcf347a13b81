import type { Clock } from "../net/mod.ts";
import { type Answer, lifetimeSeconds } from "./answer.ts";

/** An answer and how long it has been kept. */
export interface AgedAnswer {
  readonly answer: Answer;
  readonly ageSeconds: number;
}

/** Answers by key, each for as long as its records allow. Bounded: the one unused for longest makes room. */
export class AnswerCache {
  readonly #entries = new Map<
    string,
    { answer: Answer; storedMs: number; endMs: number }
  >();
  readonly #clock: Clock;
  readonly #capacity: number;

  /** @param options.capacity The most answers that are kept. */
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

  get(key: string): AgedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    const now = this.#clock.now();
    if (now >= entry.endMs) return undefined;
    this.#entries.set(key, entry);
    const ageSeconds = Math.floor((now - entry.storedMs) / 1000);
    return { answer: entry.answer, ageSeconds };
  }

  /** Keeps `answer` if its records allow it. */
  put(key: string, answer: Answer): void {
    this.#entries.delete(key);
    const lifetimeMs = lifetimeSeconds(answer) * 1000;
    if (lifetimeMs === 0) return;
    const storedMs = this.#clock.now();
    this.#entries.set(key, {
      answer,
      storedMs,
      endMs: storedMs + lifetimeMs,
    });
    if (this.#entries.size > this.#capacity) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest!);
    }
  }
}

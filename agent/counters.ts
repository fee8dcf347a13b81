import { logger } from "../log.ts";
import type { Clock } from "../net/mod.ts";

const log = logger("agent");
const reportMs = 60_000;

/** What is counted: connections, requests or flows, since the start. */
export const counted = [
  /** Joined with the app. */
  "app",
  /** Joined with a laptop. */
  "laptop",
  /** Given to the app since the laptop did not take them. */
  "fallbacks",
  /** Made to wait for a laptop or its manager. */
  "held",
  /** Broken off: nobody took them. */
  "refused",
  /** Turned away for lack of room. */
  "turnedAway",
  /** Read as requests. */
  "http",
  /** Copies for laptops that were broken off, since these did not keep up. */
  "tapsLost",
  /** Datagrams without room. */
  "datagramsDropped",
] as const;
export type Counted = typeof counted[number];

/** Numbers that only grow, logged once a minute when they have. */
export class Counters implements Disposable {
  readonly #numbers = Object.fromEntries(
    counted.map((name) => [name, 0]),
  ) as Record<Counted, number>;
  readonly #clock: Clock;
  #isChanged = false;
  #callOff = () => {};

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  add(name: Counted): void {
    this.#numbers[name]++;
    if (this.#isChanged) return;
    this.#isChanged = true;
    this.#callOff = this.#clock.after(reportMs, () => this.#report());
  }

  get numbers(): Readonly<Record<Counted, number>> {
    return this.#numbers;
  }

  [Symbol.dispose](): void {
    if (this.#isChanged) this.#report();
  }

  #report(): void {
    this.#callOff();
    this.#isChanged = false;
    log.info("counters", { ...this.#numbers });
  }
}

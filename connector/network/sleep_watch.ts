/** Between two questions much more time went by than between others, in ms. */
const sleepMs = 5_000;

/**
 * Tells that the laptop, or this process, has slept. To be asked every second or so: time that no other clock of a
 * process counts has passed on the wall.
 */
export class SleepWatch {
  readonly #now: () => number;
  #last: number;

  /** @param now Milliseconds since 1970. */
  constructor(now = Date.now) {
    this.#now = now;
    this.#last = now();
  }

  /** Whether it has slept since the question before. A clock that was set back by as much tells nothing. */
  hasSlept(): boolean {
    const before = this.#last;
    this.#last = this.#now();
    return this.#last - before > sleepMs;
  }
}

import type { Clock } from "../../net/mod.ts";

export interface RoundsOptions {
  /** One round: resolves to whether nothing is to be done before the next wake. */
  look: () => Promise<boolean>;
  /** Told why a round broke off; the next one comes after {@link tickMs}. */
  onTrouble: (error: unknown) => void;
  /** While something is to come, it is looked at so often. */
  tickMs: number;
  clock: Clock;
}

/** Looks at once, again whenever it is woken, and while something is to come; one round at a time. */
export class Rounds implements AsyncDisposable {
  readonly #options: RoundsOptions;
  readonly #closed = new AbortController();
  readonly #done: Promise<void>;
  #endSleep: () => void = () => {};
  #isWoken = true;

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** Whether a round is to come that was asked for. */
  get isWoken(): boolean {
    return this.#isWoken;
  }

  wake(): void {
    this.#isWoken = true;
    this.#endSleep();
  }

  /** Resolves when the last round is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#endSleep();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { look, onTrouble, tickMs } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      this.#isWoken = false;
      let isSettled = false;
      try {
        isSettled = await look();
      } catch (error) {
        if (signal.aborted) return;
        onTrouble(error);
      }
      if (!this.#isWoken) await this.#sleep(isSettled ? undefined : tickMs);
    }
  }

  /** Until it is woken, or the time is over. */
  async #sleep(ms: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endSleep = resolve;
    const callOff = ms === undefined
      ? undefined
      : this.#options.clock.after(ms, resolve);
    if (this.#closed.signal.aborted) resolve();
    await promise;
    callOff?.();
    this.#endSleep = () => {};
  }
}

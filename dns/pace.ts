/** What begins at once while nothing waits: more names than an app asks for together. */
const burst = 16;
/** What begins in a turn otherwise. With the work that its answer makes, each takes some 0.2 ms of this thread. */
const perTurn = 4;

/**
 * Lets questions to the cluster begin in turns, between which this thread has time for what else arrives: when very many
 * come at once, one to the host does not stand behind them. Some two thousand begin in a second.
 */
export class Pace {
  #begun = 0;
  #isTurning = false;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when the caller may begin; `undefined` when that is at once. First come, first served. */
  begin(): Promise<void> | undefined {
    if (this.#begun < burst && this.#waiting.length === 0) {
      this.#begun++;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    this.#turn();
    return promise;
  }

  /** Lets all who wait begin, to find out that it is over. */
  stop(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** A timer, since that is what makes a pause: what is due at once would take all of the thread. */
  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    setTimeout(() => {
      this.#isTurning = false;
      const next = this.#waiting.splice(0, perTurn);
      this.#begun = next.length;
      for (const resolve of next) resolve();
      if (this.#waiting.length > 0) this.#turn();
    }, 0);
  }
}

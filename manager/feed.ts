/** A value that changes, for any number of followers. A slow one misses what was between, never the last. */
export class Feed<T> {
  #value: T | undefined;
  #changed = Promise.withResolvers<void>();

  /** `undefined` before the first {@link Feed.set}. */
  get value(): T | undefined {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  /** The value as soon as there is one, then each later one, until the signal fires. */
  async *follow({ signal }: { signal: AbortSignal }): AsyncGenerator<T> {
    const aborted = Promise.withResolvers<void>();
    const abort = () => aborted.resolve();
    signal.addEventListener("abort", abort, { once: true });
    try {
      let seen: T | undefined;
      while (!signal.aborted) {
        const changed = this.#changed.promise;
        if (this.#value !== undefined && this.#value !== seen) {
          seen = this.#value;
          yield seen;
        } else await Promise.race([changed, aborted.promise]);
      }
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}

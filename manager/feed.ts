/** A value that changes, for any number of followers. A slow one misses what was between, never the last. */
export class Feed<T> {
  #value: T | undefined;
  /** Of followers who have seen the value. */
  readonly #waiting = new Set<() => void>();

  /** `undefined` before the first {@link Feed.set}. */
  get value(): T | undefined {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const wake of this.#waiting) wake();
  }

  /** The value as soon as there is one, then each later one, until the signal fires. */
  async *follow({ signal }: { signal: AbortSignal }): AsyncGenerator<T> {
    let seen: T | undefined;
    while (!signal.aborted) {
      if (this.#value !== undefined && this.#value !== seen) {
        seen = this.#value;
        yield seen;
      } else await this.#change(signal);
    }
  }

  /** Resolves at the next change or when the signal fires; leaves nothing behind either way. */
  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    await promise;
    this.#waiting.delete(wake);
    signal.removeEventListener("abort", wake);
  }
}

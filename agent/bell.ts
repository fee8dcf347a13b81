/** Tells those who listen that something has changed. */
export class Bell {
  readonly #listeners = new Set<() => void>();

  /** Calls `run` at each ring until what comes back is called. */
  listen(run: () => void): () => void {
    // Each its own, so that one who listens twice hears twice.
    const listener = () => run();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ring(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

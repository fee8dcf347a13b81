/** A bounded number of places, each taken by one who is at work. */
export class Slots {
  readonly #capacity: number;
  #taken = 0;
  #empty = Promise.withResolvers<void>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place; `undefined` when there is none. Dispose of it to give it back, once. */
  take(): Disposable | undefined {
    if (this.#taken >= this.#capacity) return undefined;
    this.#taken++;
    return {
      [Symbol.dispose]: () => {
        this.#taken--;
        if (this.#taken > 0) return;
        this.#empty.resolve();
        this.#empty = Promise.withResolvers<void>();
      },
    };
  }

  /** Resolves when no place is taken. */
  async empty(): Promise<void> {
    while (this.#taken > 0) await this.#empty.promise;
  }
}

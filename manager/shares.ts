/**
 * Places that many share, each under a key, such as an address. A key may hold as many as are free: one alone half of all,
 * two a third each. So whoever comes next finds a place, whatever those do who came before.
 */
export class Shares {
  readonly #capacity: number;
  readonly #held = new Map<string, number>();
  #taken = 0;
  #empty = Promise.withResolvers<void>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes `count` places; `undefined` when that is above the key's share. Dispose of it to give them back; idempotent. */
  take(key: string, count = 1): Disposable | undefined {
    const held = this.#held.get(key) ?? 0;
    if (held + count > this.#capacity - this.#taken) return undefined;
    this.#held.set(key, held + count);
    this.#taken += count;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#giveBack(key, count);
        isHeld = false;
      },
    };
  }

  /** Resolves when no place is taken. */
  async empty(): Promise<void> {
    while (this.#taken > 0) await this.#empty.promise;
  }

  #giveBack(key: string, count: number): void {
    const held = this.#held.get(key)! - count;
    if (held > 0) this.#held.set(key, held);
    else this.#held.delete(key);
    this.#taken -= count;
    if (this.#taken > 0) return;
    this.#empty.resolve();
    this.#empty = Promise.withResolvers<void>();
  }
}

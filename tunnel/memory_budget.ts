export interface MemoryBudgetOptions {
  /** Gives what this one gives, too: it has less left when others took of it. */
  parent?: MemoryBudget | undefined;
  /** Part of the limit that only those get who cannot do with less: see {@link MemoryBudget.hasReserved}. */
  reservedBytes?: number;
}

/** Memory that several holders share: the streams of a session, or the sessions of a process. */
export class MemoryBudget {
  readonly limitBytes: number;
  readonly #reservedBytes: number;
  readonly #parent: MemoryBudget | undefined;
  #takenBytes = 0;

  constructor(
    limitBytes: number,
    { parent, reservedBytes = 0 }: MemoryBudgetOptions = {},
  ) {
    this.limitBytes = limitBytes;
    this.#reservedBytes = reservedBytes;
    this.#parent = parent;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** What is left, but for the reserve. */
  get leftBytes(): number {
    const open = this.limitBytes - this.#reservedBytes;
    const left = Math.max(0, open - this.#takenBytes);
    return this.#parent === undefined
      ? left
      : Math.min(left, this.#parent.leftBytes);
  }

  /** Whether so much is left, the reserve included. */
  hasReserved(bytes: number): boolean {
    return this.limitBytes - this.#takenBytes >= bytes;
  }

  /** Takes; the caller has looked at {@link leftBytes}, or takes what is guaranteed or reserved. */
  take(bytes: number): void {
    this.#takenBytes += bytes;
    this.#parent?.take(bytes);
  }

  giveBack(bytes: number): void {
    this.take(-bytes);
  }
}

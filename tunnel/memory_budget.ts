/** Memory that several holders share: the streams of a session, or the sessions of a process. */
export class MemoryBudget {
  readonly limitBytes: number;
  readonly #parent: MemoryBudget | undefined;
  #takenBytes = 0;

  /** @param parent Gives what this one gives, too: it has less left when others took of it. */
  constructor(limitBytes: number, parent?: MemoryBudget) {
    this.limitBytes = limitBytes;
    this.#parent = parent;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  get leftBytes(): number {
    const left = Math.max(0, this.limitBytes - this.#takenBytes);
    return this.#parent === undefined
      ? left
      : Math.min(left, this.#parent.leftBytes);
  }

  /** Takes; the caller has looked at {@link leftBytes}, or takes what is guaranteed. */
  take(bytes: number): void {
    this.#takenBytes += bytes;
    this.#parent?.take(bytes);
  }

  giveBack(bytes: number): void {
    this.take(-bytes);
  }
}

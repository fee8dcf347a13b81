/** Things with how often each was added. Two are the same when they have the same JSON. */
export class Tally<T> {
  readonly #entries = new Map<string, Entry<T>>();
  #isChanged = true;

  /** @returns what {@link Tally.remove} wants */
  add(thing: T): string {
    const text = JSON.stringify(thing);
    let entry = this.#entries.get(text);
    if (entry === undefined) {
      entry = { text, thing, count: 0 };
      this.#entries.set(text, entry);
      this.#isChanged = true;
    }
    entry.count++;
    // The first of equal texts, so that many who keep it keep one.
    return entry.text;
  }

  remove(text: string): void {
    const entry = this.#entries.get(text);
    if (entry === undefined || --entry.count > 0) return;
    this.#entries.delete(text);
    this.#isChanged = true;
  }

  /** Each thing once. */
  get things(): T[] {
    return [...this.#entries.values()].map(({ thing }) => thing);
  }

  /** Whether things came or went since the call before; the first call says yes. */
  takeChange(): boolean {
    const isChanged = this.#isChanged;
    this.#isChanged = false;
    return isChanged;
  }
}

interface Entry<T> {
  readonly text: string;
  readonly thing: T;
  count: number;
}

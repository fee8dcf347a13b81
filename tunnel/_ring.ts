/** A first-in, first-out queue that allocates only to grow. */
export class Ring<T> {
  #items: (T | undefined)[] = new Array(8);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** The item that comes after `index` others; there must be one. */
  at(index: number): T {
    return this.#items[(this.#head + index) & this.#items.length - 1]!;
  }

  /** The item that was pushed last. */
  last(): T | undefined {
    return this.#length === 0
      ? undefined
      : this.#items[(this.#head + this.#length - 1) & this.#items.length - 1];
  }

  push(item: T): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#length) & this.#items.length - 1] = item;
    this.#length++;
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.#length === 0) return undefined;
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#items.length - 1;
    this.#length--;
    return item;
  }

  /** Takes `item` out, wherever it is; one that is not there is no matter. */
  remove(item: T): void {
    for (let left = this.#length; left > 0; left--) {
      const one = this.shift()!;
      if (one !== item) this.push(one);
    }
  }

  #grow(): void {
    const { length } = this.#items;
    const bigger = new Array<T | undefined>(length * 2);
    for (let i = 0; i < length; i++) {
      bigger[i] = this.#items[(this.#head + i) & length - 1];
    }
    this.#items = bigger;
    this.#head = 0;
  }
}

/** What may stand in one row at a time. */
export interface InRow<T> {
  before: T | undefined;
  after: T | undefined;
}

/**
 * Those who stand one behind the other, of whom each may leave. They are linked by hand: a `Set` of which much is added and
 * taken out leaves tables behind, each of which leads to the next, and so holds what ended long ago until all of the heap is
 * gone through.
 */
export class Row<T extends InRow<T>> {
  #first: T | undefined;
  #last: T | undefined;

  get first(): T | undefined {
    return this.#first;
  }

  get last(): T | undefined {
    return this.#last;
  }

  /** Puts `one`, which is in no row, behind all others. */
  add(one: T): void {
    this.insert(one, this.#last);
  }

  /** Puts `one`, which is in no row, behind `before`; before all others when that is `undefined`. */
  insert(one: T, before: T | undefined): void {
    const after = before === undefined ? this.#first : before.after;
    one.before = before;
    one.after = after;
    if (before === undefined) this.#first = one;
    else before.after = one;
    if (after === undefined) this.#last = one;
    else after.before = one;
  }

  /** Takes out `one`, which is in it. */
  remove(one: T): void {
    const { before, after } = one;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    one.before = one.after = undefined;
  }
}

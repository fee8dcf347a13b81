import type { Clock } from "../net/mod.ts";

/** One in the order in which they are due. */
interface Deadline {
  readonly dueMs: number;
  readonly pass: () => void;
  before: Deadline | undefined;
  after: Deadline | undefined;
  isOver: boolean;
}

/**
 * The deadlines of many that have the same time, each from when it begins. One timer serves all: thousands cost as one.
 *
 * They are linked by hand. A `Set` of which much is added and taken out leaves tables behind, each of which leads to the
 * next, and so holds what ended long ago until all of the heap is gone through.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #callOff: (() => void) | undefined;

  constructor({ clock, ms }: { clock: Clock; ms: number }) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Calls `pass` when the time has passed. Returns how to call it off. */
  begin(pass: () => void): () => void {
    const deadline: Deadline = {
      ...{ dueMs: this.#clock.now() + this.#ms, pass },
      ...{ before: this.#last, after: undefined, isOver: false },
    };
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.after = deadline;
    this.#last = deadline;
    this.#callOff ??= this.#clock.after(this.#ms, this.#onDue);
    return () => this.#end(deadline);
  }

  readonly #onDue = () => {
    const now = this.#clock.now();
    while (this.#first !== undefined && this.#first.dueMs <= now) {
      const { pass } = this.#first;
      this.#end(this.#first);
      pass();
    }
    this.#callOff?.();
    this.#callOff = this.#first &&
      this.#clock.after(this.#first.dueMs - now, this.#onDue);
  };

  #end(deadline: Deadline): void {
    if (deadline.isOver) return;
    deadline.isOver = true;
    const { before, after } = deadline;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    deadline.before = deadline.after = undefined;
    if (this.#first !== undefined) return;
    this.#callOff?.();
    this.#callOff = undefined;
  }
}

import type { Clock } from "../net/mod.ts";
import { type InRow, Row } from "./row.ts";

interface Deadline extends InRow<Deadline> {
  readonly dueMs: number;
  readonly pass: () => void;
  isOver: boolean;
}

/**
 * The deadlines of many that have the same time, each from when it begins. One timer serves all: thousands cost as one.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  /** As they are due. */
  readonly #row = new Row<Deadline>();
  #callOff: (() => void) | undefined;

  constructor({ clock, ms }: { clock: Clock; ms: number }) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /**
   * Calls `pass` when the time has passed, of which `agoMs` have. Returns how to call it off. Cheap where they begin in the
   * order in which they are due, or nearly.
   */
  begin(pass: () => void, agoMs = 0): () => void {
    const leftMs = Math.max(0, this.#ms - agoMs);
    const dueMs = this.#clock.now() + leftMs;
    let last = this.#row.last;
    while (last !== undefined && last.dueMs > dueMs) last = last.before;
    const none = undefined;
    const deadline = { dueMs, pass, before: none, after: none, isOver: false };
    this.#row.insert(deadline, last);
    if (last === undefined) {
      this.#callOff?.();
      this.#callOff = this.#clock.after(leftMs, this.#onDue);
    }
    return () => this.#end(deadline);
  }

  readonly #onDue = () => {
    const now = this.#clock.now();
    let { first } = this.#row;
    for (; first !== undefined && first.dueMs <= now; { first } = this.#row) {
      this.#end(first);
      first.pass();
    }
    this.#callOff?.();
    this.#callOff = first && this.#clock.after(first.dueMs - now, this.#onDue);
  };

  #end(deadline: Deadline): void {
    if (deadline.isOver) return;
    deadline.isOver = true;
    this.#row.remove(deadline);
    if (this.#row.first !== undefined) return;
    this.#callOff?.();
    this.#callOff = undefined;
  }
}

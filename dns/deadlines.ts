import type { Clock } from "../net/mod.ts";

interface Deadline {
  readonly dueMs: number;
  readonly pass: () => void;
}

/** The deadlines of many that have the same time, each from when it begins. One timer serves all: thousands cost as one. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #ms: number;
  /** In the order in which they are due. */
  readonly #all = new Set<Deadline>();
  #callOff: (() => void) | undefined;

  constructor({ clock, ms }: { clock: Clock; ms: number }) {
    this.#clock = clock;
    this.#ms = ms;
  }

  /** Calls `pass` when the time has passed. Returns how to call it off. */
  begin(pass: () => void): () => void {
    const deadline = { dueMs: this.#clock.now() + this.#ms, pass };
    this.#all.add(deadline);
    this.#callOff ??= this.#clock.after(this.#ms, this.#onDue);
    return () => {
      if (this.#all.delete(deadline)) this.#rest();
    };
  }

  readonly #onDue = () => {
    const now = this.#clock.now();
    const all = [...this.#all];
    const next = all.find(({ dueMs }) => dueMs > now);
    this.#callOff = next && this.#clock.after(next.dueMs - now, this.#onDue);
    for (const deadline of all) {
      if (deadline.dueMs > now) break;
      // Another that passed may have called it off.
      if (this.#all.delete(deadline)) deadline.pass();
    }
    this.#rest();
  };

  #rest(): void {
    if (this.#all.size > 0) return;
    this.#callOff?.();
    this.#callOff = undefined;
  }
}

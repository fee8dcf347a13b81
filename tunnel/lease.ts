import type { Clock } from "../net/mod.ts";

export interface LeaseOptions {
  clock: Clock;
  /** How long it lasts; Infinity: for ever. */
  ms: number;
  /** Called when it is over, each time. */
  onOver: () => void;
}

/** Time that runs while a session has shortcuts only: who may begin sessions must be asked again in the end. */
export class Lease {
  readonly #options: LeaseOptions;
  #cancel: (() => void) | undefined;
  #isOver = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The time runs from here on, unless it does. */
  begin(): void {
    const { clock, ms, onOver } = this.#options;
    if (this.#cancel !== undefined || this.#isOver || ms === Infinity) return;
    this.#cancel = clock.after(ms, () => {
      this.#cancel = undefined;
      this.#isOver = true;
      onOver();
    });
  }

  /** The time does not run, and lasts as long as ever when it is begun. */
  renew(): void {
    this.end();
    this.#isOver = false;
  }

  /** The time does not run any more. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

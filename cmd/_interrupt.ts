/** Exit code of a command that an interrupt ended, as shells count. */
export const interruptedExitCode = 130;

/** Ctrl-C while a command waits: noted, and answered in an orderly way, instead of ending the process on the spot. */
export class Interrupt implements Disposable {
  readonly #abort = new AbortController();
  readonly #listener = () => this.#abort.abort();
  readonly #signals: readonly Deno.Signal[];

  /** @param signals What is noted. */
  constructor(signals: readonly Deno.Signal[] = ["SIGINT"]) {
    this.#signals = signals;
    for (const one of signals) Deno.addSignalListener(one, this.#listener);
  }

  /** Aborts when the user interrupts. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    for (const one of this.#signals) {
      Deno.removeSignalListener(one, this.#listener);
    }
  }
}

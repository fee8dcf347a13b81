/**
 * A signal of many, handed to each as one of its own: to come and go as a listener of one signal takes the longer the more
 * listeners there are.
 */
export class SignalFan {
  readonly #signal: AbortSignal;
  readonly #branches = new Set<AbortController>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const fire = () => {
      for (const branch of this.#branches) branch.abort(signal.reason);
    };
    signal.addEventListener("abort", fire, { once: true });
  }

  /** Fires with the signal, until disposed of. */
  branch(): SignalBranch {
    const branch = new AbortController();
    const { signal } = branch;
    if (this.#signal.aborted) branch.abort(this.#signal.reason);
    else this.#branches.add(branch);
    return {
      signal,
      [Symbol.dispose]: () => void this.#branches.delete(branch),
    };
  }
}

export interface SignalBranch extends Disposable {
  readonly signal: AbortSignal;
}

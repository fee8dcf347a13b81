/**
 * Tells of a signal whoever of one connection waits at the moment. It listens once for the connection's whole life: the
 * signal is that of all connections, and each listener is looked at whenever one comes or goes.
 */
export class DrainWatch implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.onDrain();
  /** Called when the signal fires. */
  onDrain = (): void => {};

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** Whether it has fired. */
  get isDrained(): boolean {
    return this.#signal?.aborted ?? false;
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

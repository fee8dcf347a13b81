/** How long something may take before it is told what it waits for, and how often it is told again, in ms. */
const firstMs = 2_000;
const nextMs = 10_000;

/** Tells what takes long, while it does; what is quick is not talked about. */
export class Patience implements Disposable {
  readonly #tell: (text: string) => void;
  readonly #startedAt = performance.now();
  #timer: ReturnType<typeof setTimeout>;
  #what = "";

  /** @param tell Is given what is waited for, with the time if it is told again. */
  constructor(tell: (text: string) => void) {
    this.#tell = tell;
    this.#timer = setTimeout(() => this.#say(), firstMs);
  }

  /** From here on it waits for `what`. */
  waitFor(what: string): void {
    if (what === this.#what) return;
    this.#what = what;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(), firstMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #say(): void {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    const since = seconds * 1000 < nextMs ? "" : ` (${seconds} s)`;
    this.#tell(`${this.#what}${since}`);
    this.#timer = setTimeout(() => this.#say(), nextMs);
  }
}

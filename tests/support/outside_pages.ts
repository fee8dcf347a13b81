import { type Laptop, outside, sleep } from "../cluster/mod.ts";

/** Between two pages. */
const pauseMs = 30;
/** How long a page may take. */
const pageMs = 1_000;
/**
 * From the start on, one may take longer if it is there by then: a question that was on its way to who was killed is lost,
 * and the resolver asks the next nameserver 1 s later (`timeout:1`).
 */
const againMs = 2_000;

/** What a laptop got of the world outside. */
export interface PagesTold {
  readonly count: number;
  readonly firstMs: number;
  readonly slowestMs: number;
  /** What was not the page, or not in time. */
  readonly faults: readonly string[];
}

/**
 * Who asks for a page of the world outside by its name, one time after the other, from when it is made: right after
 * something was killed.
 */
export class OutsidePages implements AsyncDisposable {
  readonly #laptop: Laptop;
  readonly #times: number[] = [];
  readonly #faults: string[] = [];
  readonly #first = Promise.withResolvers<void>();
  #isOver = false;
  readonly #asking: Promise<void>;

  constructor(laptop: Laptop) {
    this.#laptop = laptop;
    this.#asking = this.#ask();
  }

  /** Resolves when the first one came, or did not. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Waits for the one that is under way, and asks for no more. */
  async end(): Promise<PagesTold> {
    await this[Symbol.asyncDispose]();
    return {
      count: this.#times.length,
      firstMs: this.#times[0]!,
      slowestMs: Math.max(...this.#times),
      faults: this.#faults,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const madeMs = performance.now();
    while (!this.#isOver) {
      const startMs = performance.now();
      const limitMs = Math.max(pageMs, madeMs + againMs - startMs);
      // It is curl that counts: how long a busy machine takes to start one is no fault.
      const { stdout, stderr } = await this.#laptop.run([
        ...["curl", "-sS", "-m", `${limitMs / 1_000}`],
        `http://${outside.name}/`,
      ]);
      this.#times.push(Math.round(performance.now() - startMs));
      if (stdout !== outside.page) this.#faults.push(stdout + stderr);
      this.#first.resolve();
      await sleep(pauseMs);
    }
  }
}

/** `tp intercept … -- sleep infinity`, and what it tells its user meanwhile. */
import { waitFor } from "../cluster/mod.ts";
import type { Tp } from "./laptop_tp.ts";

export class Holding implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #told = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reading = this.#read();
  }

  /** @param args Of `tp`, without what is to run. Resolves when the intercept stands. */
  static async start(tp: Tp, args: string[]): Promise<Holding> {
    const holding = new Holding(
      tp.start([...args, "--", "sleep", "infinity"], { stderr: "piped" }),
    );
    await holding.tells(": ACTIVE");
    return holding;
  }

  /** Resolves when it has told that. */
  async tells(what: string): Promise<void> {
    const isTold = () =>
      Promise.resolve(this.#told.includes(what) || this.#told);
    await waitFor(`word of ${what}`, isTold, { everyMs: 20 });
  }

  /** Its exit code after its command was ended. */
  async end(): Promise<number> {
    this.#child.kill("SIGTERM");
    await this.#reading;
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch { /* it has ended */ }
    await this.#reading;
    await this.#child.status;
  }

  async #read(): Promise<void> {
    const decoded = this.#child.stderr.pipeThrough(new TextDecoderStream());
    for await (const text of decoded) this.#told += text;
  }
}

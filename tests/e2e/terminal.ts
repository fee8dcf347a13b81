/** A program on a terminal of its own, as somebody types at it. */

/** How long the program may be silent before it is killed. */
const patienceMs = 20_000;

export class Terminal implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  /** @param command has `script(1)` in it, or something else that makes a terminal. */
  constructor(command: string[]) {
    const [program, ...args] = command;
    this.#process = new Deno.Command(program!, {
      ...{ args, stdin: "piped", stdout: "piped", stderr: "inherit" },
    }).spawn();
    this.#reader = this.#process.stdout
      .pipeThrough(new TextDecoderStream()).getReader();
    this.#writer = this.#process.stdin.getWriter();
  }

  /**
   * Answers each text that ends in `prompt` by the next line of `lines`, which are taken out of it, until the program has
   * ended. A program that asks once more, or is silent for long, is killed.
   *
   * @returns what it wrote
   */
  async answer(prompt: RegExp, lines: string[]): Promise<string> {
    let written = "";
    let asked = 0;
    for (;;) {
      const timer = setTimeout(() => this.#kill(), patienceMs);
      const { done, value = "" } = await this.#reader.read();
      clearTimeout(timer);
      if (done) return written;
      written += value.replaceAll("\r", "");
      if (!prompt.test(written.slice(asked))) continue;
      asked = written.length;
      const line = lines.shift();
      if (line === undefined) this.#kill();
      else await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#process.status;
    await this.#writer.close().catch(() => {});
    await this.#reader.cancel().catch(() => {});
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

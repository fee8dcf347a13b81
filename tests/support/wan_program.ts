/** The program of wan.c, running. */
import { compileC } from "../cluster/mod.ts";

const source = new URL("wan.c", import.meta.url).pathname;

export class WanProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #unread = "";
  /** The end of the last command, so that each reads its own answer. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Resolves when it is in a network namespace of its own. */
  static async start(): Promise<WanProgram> {
    const program = new WanProgram(
      new Deno.Command(await compileC(source), {
        stdin: "piped",
        stdout: "piped",
      }).spawn(),
    );
    await program.#readLine();
    return program;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** @throws {Error} if the program does not know the command, or has ended */
  async command(line: string): Promise<string> {
    const answer = this.#turn.then(async () => {
      await this.#writer.write(new TextEncoder().encode(`${line}\n`));
      return await this.#readLine();
    });
    this.#turn = answer.catch(() => {});
    const text = await answer;
    if (text.startsWith("unknown")) {
      throw new Error(`Cannot tell the wan "${line}": ${text}`);
    }
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#child.status;
    await this.#reader.cancel();
  }

  async #readLine(): Promise<string> {
    while (!this.#unread.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("Cannot go on: the wan has ended");
      this.#unread += value;
    }
    const end = this.#unread.indexOf("\n");
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    return line;
  }
}

/** An open session of psql with a database of the cluster. */
import type { Laptop } from "../cluster/mod.ts";

const program = [
  ...["psql", "--username=postgres"],
  ...["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"],
  "--set=ON_ERROR_STOP=1",
];

/** Ends the answer to a question. */
const mark = "--answered--";

export class DatabaseSession implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #unread = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** @throws {Error} when there is no way to the database */
  static async open(
    laptop: Laptop,
    { host = "postgres.default" } = {},
  ): Promise<DatabaseSession> {
    const command = [...program, `--host=${host}`];
    const session = new DatabaseSession(
      laptop.spawn(command, { stdin: "piped", stdout: "piped" }),
    );
    await session.ask("select 1");
    return session;
  }

  /**
   * Runs one statement; its rows, a line each.
   *
   * @throws {Error} when the statement fails or the session has broken off, which psql has told on standard error
   */
  async ask(statement: string): Promise<string> {
    const text = `${statement};\n\\echo ${mark}\n`;
    await this.#writer.write(new TextEncoder().encode(text));
    const end = `${mark}\n`;
    while (!this.#unread.endsWith(end)) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`Cannot run "${statement}": psql has ended`);
      this.#unread += value;
    }
    const answer = this.#unread.slice(0, -end.length).trimEnd();
    this.#unread = "";
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    try {
      this.#child.kill("SIGTERM");
    } catch { /* it has ended */ }
    await this.#child.status;
    await this.#reader.cancel();
  }
}

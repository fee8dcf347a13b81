import { lines } from "../../tests/support/big_cluster/lines.ts";
import type { HolderOrder, Latency } from "./holder.ts";

/** A process that runs one of the holders, seen from here. */
export class RemoteHolder implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #answers: AsyncGenerator<string>;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#answers = lines(child.stdout);
    this.#orders = child.stdin.getWriter();
  }

  /** @param child With standard input and output piped. */
  static async of(child: Deno.ChildProcess): Promise<RemoteHolder> {
    const holder = new RemoteHolder(child);
    await holder.#answer();
    return holder;
  }

  /** The command that runs a holder against the echo servers at `addresses`. */
  static command(
    script: "socket_holder.ts" | "session_holder.ts",
    { port, addresses }: { port: number; addresses: readonly string[] },
  ): string[] {
    const path = new URL(script, import.meta.url).pathname;
    return [Deno.execPath(), "run", "-A", "--quiet", path]
      .concat(String(port), addresses);
  }

  /** Opens until there are `count`. @returns how long it took */
  async grow(what: "sessions" | "streams", count: number): Promise<number> {
    const { ms } = JSON.parse(await this.#tell({ order: what, count }));
    return ms;
  }

  async ask(load: { perSecond: number; seconds: number }): Promise<Latency> {
    return JSON.parse(await this.#tell({ order: "ask", ...load }));
  }

  /** Moves so many bytes to and fro on each stream. */
  async fill(bytes: number): Promise<void> {
    await this.#tell({ order: "fill", bytes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#orders.close().catch(() => {});
    await this.#answers.return(undefined);
    await this.#child.status;
  }

  async #tell(order: HolderOrder): Promise<string> {
    const line = new TextEncoder().encode(`${JSON.stringify(order)}\n`);
    await this.#orders.write(line);
    return await this.#answer();
  }

  async #answer(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("Cannot go on: the holder has ended");
    return value;
  }
}

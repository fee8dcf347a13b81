import { type Conn, ConnResetError } from "../../net/mod.ts";

/** How much of a child's output is taken at once. */
const bufferBytes = 64 * 1024;

/** Standard input and output of a process as one flow: its end is the end of what it writes. */
export class ChildConn implements Conn {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamBYOBReader;
  #buffer = new Uint8Array(bufferBytes);
  #isClosed = false;

  /** `child` must have been given pipes for both, and nobody else may use them. */
  constructor(child: Pick<Deno.ChildProcess, "stdin" | "stdout">) {
    this.#writer = child.stdin.getWriter();
    // A process that ended without reading is told by the next write.
    this.#writer.closed.catch(() => {});
    this.#reader = child.stdout.getReader({ mode: "byob" });
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#isClosed) throw new ConnResetError("Cannot read: closed");
    const room = Math.min(into.length, bufferBytes);
    const { value, done } = await this.#reader.read(
      this.#buffer.subarray(0, room),
    ).catch((cause) => {
      throw new ConnResetError("Cannot read: the process is gone", { cause });
    });
    if (value !== undefined) this.#buffer = new Uint8Array(value.buffer);
    if (done) return null;
    into.set(value);
    return value.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    try {
      await this.#writer.write(bytes);
      return bytes.length;
    } catch (cause) {
      throw new ConnResetError("Cannot write: the process is gone", { cause });
    }
  }

  async closeWrite(): Promise<void> {
    await this.#writer.close().catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    this.#writer.abort().catch(() => {});
    this.#reader.cancel().catch(() => {});
  }

  reset(): void {
    this.close();
  }
}

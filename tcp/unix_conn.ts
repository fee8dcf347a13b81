import { type Conn, ConnResetError } from "../net/mod.ts";

/** A connection to a Unix socket as a {@link Conn}. Its peer can not tell a reset from an end. */
export class UnixConn implements Conn {
  readonly #conn: Deno.UnixConn;
  #closed = false;

  /** Takes `conn` over: nobody else may use it. */
  constructor(conn: Deno.UnixConn) {
    this.#conn = conn;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#try(() => this.#conn.read(into));
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#try(() => this.#conn.write(bytes));
  }

  closeWrite(): Promise<void> {
    return this.#try(() => this.#conn.closeWrite());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  reset(): void {
    this.close();
  }

  async #try<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const state = "the connection broke off";
      throw new ConnResetError(`Cannot use a Unix socket: ${state}`, { cause });
    }
  }
}

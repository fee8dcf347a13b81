import { type Conn, ConnResetError } from "../net/mod.ts";

/** A connection of the runtime as a {@link Conn}: its many errors become one. */
export class DenoConn implements Conn {
  readonly #conn: Deno.Conn;
  #closed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into).catch(brokeOff);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes).catch(brokeOff);
  }

  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite().catch(brokeOff);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  reset(): void {
    this.close();
  }
}

function brokeOff(cause: unknown): never {
  throw new ConnResetError("Cannot go on: the connection broke off", { cause });
}

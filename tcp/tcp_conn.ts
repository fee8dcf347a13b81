import { type Conn, ConnResetError } from "../net/mod.ts";
import { setNoDelay } from "./no_delay.ts";
import { resetTcp } from "./tcp_reset.ts";

/** A TCP connection of this process as a {@link Conn}, bare or with TLS: half-close and reset travel both ways. */
export class TcpConn implements Conn {
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  #closed = false;

  /** Takes `conn` over: nobody else may use it. Small writes go out at once. */
  constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
    if ("setNoDelay" in conn) {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } else setNoDelay(conn);
  }

  async read(into: Uint8Array): Promise<number | null> {
    try {
      return await this.#conn.read(into);
    } catch (error) {
      throw new ConnResetError("Cannot read: the connection broke off", {
        cause: error,
      });
    }
  }

  async write(bytes: Uint8Array): Promise<number> {
    try {
      return await this.#conn.write(bytes);
    } catch (error) {
      throw new ConnResetError("Cannot write: the connection broke off", {
        cause: error,
      });
    }
  }

  async closeWrite(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      throw new ConnResetError("Cannot end writing: the connection broke off", {
        cause: error,
      });
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  reset(): void {
    if (this.#closed) return;
    resetTcp(this.#conn);
    this.close();
  }
}

import type { Conn } from "./conn.ts";

/** A flow that is read in a way of its own, and in all else is the one behind it. */
export abstract class ConnBehind implements Conn {
  protected readonly conn: Conn;

  /** Takes `conn` over. */
  constructor(conn: Conn) {
    this.conn = conn;
  }

  abstract read(into: Uint8Array): Promise<number | null>;

  write(bytes: Uint8Array): Promise<number> {
    return this.conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  close(): void {
    this.conn.close();
  }

  reset(): void {
    this.conn.reset();
  }
}

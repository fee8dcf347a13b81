import { type Conn, ConnBehind } from "../../net/mod.ts";

/** A flow from which somebody else was reading: it begins with what that read brings. */
export class ResumedConn extends ConnBehind {
  /** `null` for the peer's end. */
  #reading: Promise<Uint8Array | null> | undefined;
  #octets: Uint8Array = new Uint8Array(0);

  /** Takes `conn` over. */
  constructor(conn: Conn, reading: Promise<Uint8Array | null>) {
    super(conn);
    this.#reading = reading;
    reading.catch(() => {});
  }

  override async read(into: Uint8Array): Promise<number | null> {
    if (this.#reading !== undefined) {
      const octets = await this.#reading;
      if (octets === null) return null;
      this.#reading = undefined;
      this.#octets = octets;
    }
    if (this.#octets.length === 0) return await this.conn.read(into);
    const count = Math.min(this.#octets.length, into.length);
    into.set(this.#octets.subarray(0, count));
    this.#octets = this.#octets.subarray(count);
    return count;
  }
}

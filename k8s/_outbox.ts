import { type Conn, writeAll } from "../net/mod.ts";

/** What carries bytes on, below a layer of a carrier. */
export interface ByteSink {
  /** How many bytes before what is sent this may overwrite; a multiple of 4. */
  readonly headroom: number;

  /**
   * Sends `buffer` from `from` to `to`; may change the bytes there and {@link ByteSink.headroom} bytes before. The
   * buffer is the caller's again when it resolves.
   *
   * @throws {ConnResetError}
   */
  send(buffer: Uint8Array, from: number, to: number): Promise<void>;
}

/** More short answers than these are not kept waiting: the peer asks again. */
const shortLimit = 16;

/** Writes of several parties to one connection, one after the other. */
export class Outbox implements ByteSink {
  readonly headroom = 0;
  readonly #conn: Pick<Conn, "write">;
  #last: Promise<unknown> = Promise.resolve();
  #shorts = 0;

  constructor(conn: Pick<Conn, "write">) {
    this.#conn = conn;
  }

  send(buffer: Uint8Array, from: number, to: number): Promise<void> {
    const bytes = buffer.subarray(from, to);
    const sent = this.#last.then(() => writeAll(this.#conn, bytes));
    this.#last = sent.catch(() => {});
    return sent;
  }

  /** Sends a short answer when its turn comes; drops it when too many wait. A break shows at the next read. */
  sendShort(bytes: Uint8Array): void {
    if (this.#shorts >= shortLimit) return;
    this.#shorts++;
    this.send(bytes, 0, bytes.length).catch(() => {}).finally(() => {
      this.#shorts--;
    });
  }
}

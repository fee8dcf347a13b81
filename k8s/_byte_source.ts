import type { Conn } from "../net/mod.ts";

/**
 * Bytes that arrive, handed out where they lie, so that nothing is copied between the layers of a carrier.
 *
 * One reader at a time: peek, consume, and when nothing is at hand, fill.
 */
export interface ByteSource {
  /** What is at hand and not consumed, without waiting; may be empty. Valid until {@link ByteSource.fill}. */
  peek(): Uint8Array;

  /** Lets go of the first `count` bytes at hand. */
  consume(count: number): void;

  /**
   * Waits for more. To be called when nothing is at hand. Resolves to false at the end.
   *
   * @throws {ConnResetError}
   */
  fill(): Promise<boolean>;
}

/** Nothing at hand. */
export const noBytes = new Uint8Array(0);

/** The bytes of a connection, through one buffer that is used again and again. */
export class ConnSource implements ByteSource {
  readonly #conn: Pick<Conn, "read">;
  readonly #buffer: Uint8Array;
  #from = 0;
  #to = 0;

  /** @param bufferBytes How much is at hand at most. */
  constructor(conn: Pick<Conn, "read">, bufferBytes: number) {
    this.#conn = conn;
    this.#buffer = new Uint8Array(bufferBytes);
  }

  peek(): Uint8Array {
    return this.#buffer.subarray(this.#from, this.#to);
  }

  consume(count: number): void {
    this.#from += count;
  }

  /**
   * As the interface says; and what is at hand is kept, more comes after it.
   *
   * @throws {RangeError} when the buffer is full of what is at hand.
   */
  async fill(): Promise<boolean> {
    if (this.#from > 0) {
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    if (this.#to === this.#buffer.length) {
      throw new RangeError(`Cannot hold more than ${this.#to} bytes at hand`);
    }
    const count = await this.#conn.read(this.#buffer.subarray(this.#to));
    if (count === null) return false;
    this.#to += count;
    return true;
  }
}

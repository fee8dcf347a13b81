/** DNS messages on a byte stream: each behind its length in two octets (RFC 1035 section 4.2.2). */
import type { Conn } from "./conn.ts";

const lengthOctets = 2;

/** Writes a message of at most 65 535 octets as a frame. */
export function encodeDnsFrame(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(lengthOctets + message.length);
  new DataView(frame.buffer).setUint16(0, message.length);
  frame.set(message, lengthOctets);
  return frame;
}

/** Reads one message after the other, also when several came at once. */
export class DnsFrameReader {
  readonly #source: Pick<Conn, "read">;
  /** What came and was not given yet stands between the two offsets. */
  #buffer = new Uint8Array(512);
  #start = 0;
  #end = 0;

  constructor(source: Pick<Conn, "read">) {
    this.#source = source;
  }

  /** The next message, or `null` at the end of the stream, a message cut short included. Throws what reading throws. */
  async read(): Promise<Uint8Array | null> {
    if (!await this.#fill(lengthOctets)) return null;
    const length = this.#buffer[this.#start]! << 8 |
      this.#buffer[this.#start + 1]!;
    if (!await this.#fill(lengthOctets + length)) return null;
    const start = this.#start + lengthOctets;
    this.#start = start + length;
    return this.#buffer.slice(start, this.#start);
  }

  /** Reads until `octets` stand in the buffer. */
  async #fill(octets: number): Promise<boolean> {
    while (this.#end - this.#start < octets) {
      this.#makeRoom(octets);
      const read = await this.#source.read(this.#buffer.subarray(this.#end));
      if (read === null) return false;
      this.#end += read;
    }
    return true;
  }

  #makeRoom(octets: number): void {
    if (this.#start + octets <= this.#buffer.length) return;
    const rest = this.#buffer.subarray(this.#start, this.#end);
    const buffer = octets > this.#buffer.length
      ? new Uint8Array(2 * octets)
      : this.#buffer;
    buffer.set(rest);
    this.#buffer = buffer;
    this.#end -= this.#start;
    this.#start = 0;
  }
}

/** What came from a carrier and is not decoded yet. */
import { type Conn, ConnResetError } from "../net/mod.ts";
import { readU32 } from "./_bytes.ts";
import { checkHeader, type FrameDecoder, type FrameSink } from "./decoder.ts";
import { headerBytes } from "./frame.ts";
import { ProtocolError } from "./protocol_error.ts";

/** Holds any frame but DATA and DATAGRAM; enough for a carrier that has little to give. */
const smallBytes = 20 * 1024;
/** Holds the longest frame that is passed on whole, several times over. */
const largeBytes = 256 * 1024;

/** After so many reads in turn that brought less than the small buffer holds, the large one is not needed any more. */
const fewReads = 32;

/**
 * The reading side of a carrier: one buffer that is filled again and again, grows once it was full, and is small again
 * when little has come for a while: a manager has many carriers that were busy once.
 */
export class Intake {
  readonly #carrier: Conn;
  #buffer = new Uint8Array(smallBytes);
  #from = 0;
  #to = 0;
  #fewReads = 0;
  /** All bytes that came. */
  receivedBytes = 0;

  constructor(carrier: Conn) {
    this.#carrier = carrier;
  }

  /**
   * Reads once. False at the carrier's end.
   *
   * @throws {ConnResetError} or what else the carrier throws when it breaks.
   */
  async fill(): Promise<boolean> {
    if (this.#from > 0) {
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    const count = await this.#carrier.read(
      this.#to === 0 ? this.#buffer : this.#buffer.subarray(this.#to),
    );
    if (count === null) return false;
    this.#to += count;
    this.receivedBytes += count;
    this.#fewReads = count < smallBytes ? this.#fewReads + 1 : 0;
    if (this.#to === this.#buffer.length) this.#resize(largeBytes);
    else if (this.#fewReads >= fewReads && this.#to < smallBytes) {
      this.#resize(smallBytes);
    }
    return true;
  }

  /** Passes on what is whole. See {@link FrameDecoder.decode} for what it throws. */
  decode(decoder: FrameDecoder, sink: FrameSink): void {
    this.#from = decoder.decode(this.#buffer, this.#from, this.#to, sink);
  }

  /** Forgets what is not decoded. */
  discard(): void {
    this.#from = this.#to = 0;
  }

  /** Lets go of the memory: nothing is read any more. */
  release(): void {
    this.discard();
    this.#buffer = new Uint8Array(0);
  }

  /**
   * Reads the first frame, the greeting.
   *
   * @throws {ProtocolError} bad-greeting when it has none of these types.
   * @throws {ConnResetError} when the carrier ends before.
   */
  async greeting(
    ...types: number[]
  ): Promise<{ type: number; body: Uint8Array<ArrayBuffer> }> {
    for (;;) {
      if (this.#to >= headerBytes) {
        const length = this.#greetingLength(types);
        if (this.#to >= headerBytes + length) {
          this.#from = headerBytes + length;
          const body = this.#buffer.slice(headerBytes, this.#from);
          return { type: this.#buffer[0]!, body };
        }
      }
      if (!await this.fill()) {
        throw new ConnResetError("Cannot greet: the carrier ended");
      }
    }
  }

  /** Takes what is there along. */
  #resize(length: number): void {
    if (this.#buffer.length === length) return;
    const buffer = new Uint8Array(length);
    buffer.set(this.#buffer.subarray(0, this.#to));
    this.#buffer = buffer;
  }

  #greetingLength(types: number[]): number {
    const length = readU32(this.#buffer, 0) & 0xffffff;
    try {
      checkHeader(this.#buffer[0]!, length, readU32(this.#buffer, 4));
    } catch {
      throw new ProtocolError("bad-greeting", "the peer is no tunnel of tp");
    }
    if (!types.includes(this.#buffer[0]!)) {
      throw new ProtocolError(
        "bad-greeting",
        `the first frame has type ${this.#buffer[0]}, not ${
          types.join(" or ")
        }`,
      );
    }
    return length;
  }
}

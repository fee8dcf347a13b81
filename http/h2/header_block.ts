import type { Clock } from "../../net/mod.ts";
import { defaultLimits } from "../serve_options.ts";
import { H2Error } from "./error.ts";
import { flag, type Frame, frameType, unpad } from "./frame.ts";

/** Compressed; and CONTINUATION may be empty, so they are counted too. */
const maxBlockOctets = 64 * 1024;
const maxContinuations = 32;

export interface HeaderBlock {
  readonly streamId: number;
  readonly endsStream: boolean;
  readonly octets: Uint8Array;
}

/** Joins HEADERS and the CONTINUATION that follow it (RFC 9113 section 6.10). */
export class HeaderBlocks {
  #open: { streamId: number; endsStream: boolean } | undefined;
  #parts: Uint8Array[] = [];
  #size = 0;
  readonly #clock: Clock;
  readonly #onLate: () => void;
  #callOff = () => {};

  /** @param options.onLate Called when a block does not become whole. */
  constructor(options: { clock: Clock; onLate: () => void }) {
    this.#clock = options.clock;
    this.#onLate = options.onLate;
  }

  /** Nothing more comes. */
  stop(): void {
    this.#callOff();
  }

  /**
   * Takes every frame of the connection, in order.
   *
   * @returns A block once it is whole; `"more"` for a frame that was taken as a part of one; `undefined` for others.
   * @throws {H2Error} for a frame out of order, and when a block is too large.
   */
  take(frame: Frame): HeaderBlock | "more" | undefined {
    const { type, flags, streamId } = frame;
    if (this.#open !== undefined) {
      if (
        type !== frameType.continuation || streamId !== this.#open.streamId
      ) throw new H2Error("protocol", "a frame inside a header block");
      this.#add(frame.payload);
    } else {
      if (type === frameType.continuation) {
        throw new H2Error("protocol", "CONTINUATION without HEADERS");
      }
      if (type !== frameType.headers) return undefined;
      if (streamId === 0) throw new H2Error("protocol", "HEADERS on stream 0");
      const endsStream = (flags & flag.endStream) !== 0;
      const block = unpad(frame);
      if (flags & flag.endHeaders) {
        return { streamId, endsStream, octets: block };
      }
      this.#open = { streamId, endsStream };
      this.#callOff = this.#clock.after(defaultLimits.headMs, this.#onLate);
      this.#add(block);
    }
    if (!(flags & flag.endHeaders)) return "more";
    this.#callOff();
    const octets = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      octets.set(part, at);
      at += part.length;
    }
    const whole = { ...this.#open, octets };
    this.#open = undefined;
    this.#parts = [];
    this.#size = 0;
    return whole;
  }

  #add(part: Uint8Array): void {
    this.#size += part.length;
    if (
      this.#size > maxBlockOctets || this.#parts.length > maxContinuations
    ) throw new H2Error("calm", "a header block is too large");
    this.#parts.push(part.slice());
  }
}

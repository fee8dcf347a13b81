import { FramingError, maxFields } from "./fields.ts";
import type { Framing } from "./request.ts";

/** A chunk's size with its extensions. */
export const maxChunkLineOctets = 4096;
export const maxTrailerOctets = 16 * 1024;
/** Sizes with more digits are none that a number holds, or hide behind zeros. */
const maxSizeDigits = 16;
/** What must not come after the body, as it decides where bodies and requests go (RFC 9110 section 6.5.1). */
const bannedTrailers = new Set([
  "content-length",
  "transfer-encoding",
  "host",
  "connection",
  "trailer",
  "content_length",
  "transfer_encoding",
]);
const longestBanned = 17;

/** Finds the end of a body in the octets that pass; it holds none of them. */
export interface BodyScanner {
  /** True once the body has ended. */
  readonly done: boolean;
  /**
   * How many of `octets` are the body's: all, unless it ends among them.
   *
   * @throws {FramingError} at the first octet that is no body's.
   */
  scan(octets: Uint8Array): number;
}

export function bodyScanner(framing: Framing): BodyScanner {
  switch (framing.kind) {
    case "none":
      return new LengthScanner(0);
    case "length":
      return new LengthScanner(framing.octets);
    case "until-close":
      return new LengthScanner(Infinity);
    case "chunked":
      return new ChunkScanner();
  }
}

class LengthScanner implements BodyScanner {
  #left: number;

  constructor(octets: number) {
    this.#left = octets;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  scan(octets: Uint8Array): number {
    const count = Math.min(octets.length, this.#left);
    this.#left -= count;
    return count;
  }
}

type ChunkState =
  | "size"
  | "space"
  | "extension"
  | "line-feed"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-begin"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "end-lf"
  | "done";

/** RFC 9112 section 7.1 to the letter: lines end in CR LF, nothing stands around a size but extensions. */
export class ChunkScanner implements BodyScanner {
  #state: ChunkState = "size";
  #size = 0;
  #digits = 0;
  #lineOctets = 0;
  #trailerOctets = 0;
  #trailers = 0;
  #name = "";

  get done(): boolean {
    return this.#state === "done";
  }

  scan(octets: Uint8Array): number {
    let at = 0;
    while (at < octets.length && this.#state !== "done") {
      if (this.#state === "data") {
        const count = Math.min(octets.length - at, this.#size);
        this.#size -= count;
        at += count;
        if (this.#size === 0) this.#state = "data-cr";
      } else this.#step(octets[at++]!);
    }
    return at;
  }

  #step(octet: number): void {
    switch (this.#state) {
      case "size":
      case "space":
      case "extension":
        return this.#stepSizeLine(octet);
      case "line-feed":
        expect(octet, 0x0a);
        this.#state = this.#size === 0 ? "trailer-begin" : "data";
        return;
      case "data-cr":
        expect(octet, 0x0d);
        this.#state = "data-lf";
        return;
      case "data-lf":
        expect(octet, 0x0a);
        this.#state = "size";
        this.#digits = this.#lineOctets = 0;
        return;
      case "end-lf":
        expect(octet, 0x0a);
        this.#state = "done";
        return;
      default:
        return this.#stepTrailer(octet);
    }
  }

  #stepSizeLine(octet: number): void {
    if (++this.#lineOctets > maxChunkLineOctets) {
      throw new FramingError(400, "a chunk's line is too long");
    }
    if (this.#state === "size") {
      const digit = hexDigit(octet);
      if (digit >= 0) {
        if (++this.#digits > maxSizeDigits) throw noSize();
        this.#size = this.#size * 16 + digit;
        if (!Number.isSafeInteger(this.#size)) throw noSize();
        return;
      }
      if (this.#digits === 0) throw noSize();
    }
    if (octet === 0x0d && this.#state !== "space") this.#state = "line-feed";
    else if (this.#state === "extension") checkText(octet);
    else if (octet === 0x3b) this.#state = "extension";
    else if (octet === 0x20 || octet === 0x09) this.#state = "space";
    else throw noSize();
  }

  #stepTrailer(octet: number): void {
    if (++this.#trailerOctets > maxTrailerOctets) {
      throw new FramingError(400, "the trailers are too long");
    }
    switch (this.#state) {
      case "trailer-begin":
        if (octet === 0x0d) {
          this.#state = "end-lf";
          return;
        }
        if (++this.#trailers > maxFields) {
          throw new FramingError(400, `more than ${maxFields} trailers`);
        }
        this.#name = "";
        this.#state = "trailer-name";
        return this.#stepTrailerName(octet);
      case "trailer-name":
        return this.#stepTrailerName(octet);
      case "trailer-value":
        if (octet === 0x0d) this.#state = "trailer-lf";
        else checkText(octet);
        return;
      case "trailer-lf":
        expect(octet, 0x0a);
        this.#state = "trailer-begin";
    }
  }

  #stepTrailerName(octet: number): void {
    const char = String.fromCharCode(octet);
    if (octet === 0x3a && this.#name !== "") {
      if (bannedTrailers.has(this.#name.toLowerCase())) {
        throw new FramingError(400, `trailer "${this.#name}"`);
      }
      this.#state = "trailer-value";
    } else if (/[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(char)) {
      if (this.#name.length <= longestBanned) this.#name += char;
    } else throw new FramingError(400, "a line is no trailer");
  }
}

function noSize(): FramingError {
  return new FramingError(400, "a chunk's size is no number");
}

function expect(octet: number, expected: number): void {
  if (octet !== expected) {
    throw new FramingError(400, "a chunk does not end where it should");
  }
}

/** What may stand in extensions and field values. */
function checkText(octet: number): void {
  if (octet < 0x20 && octet !== 0x09 || octet === 0x7f) {
    throw new FramingError(400, "a control character in a chunk's line");
  }
}

function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

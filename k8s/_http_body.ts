/** Bodies of HTTP/1.1 responses (RFC 9112 section 6), piece by piece. */
import type { ByteSource } from "./_byte_source.ts";
import type { ResponseHead } from "./_http_head.ts";
import { ObstacleError } from "./unreachable.ts";

/** A body as it arrives. Reading is what makes the server go on. */
export interface Body {
  /** The next piece, valid until the next call; `null` after the last. */
  read(): Promise<Uint8Array | null>;
}

/**
 * The body that `head` announces.
 *
 * @throws {ObstacleError} `protocol` when its announcement makes no sense.
 */
export function bodyOf(
  source: ByteSource,
  { status, headers }: ResponseHead,
): Body {
  if (status === 204 || status === 304) return new SizedBody(source, 0);
  const coding = headers.get("transfer-encoding");
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked") throw garbled();
    return new ChunkedBody(source);
  }
  const length = headers.get("content-length");
  if (length === undefined) return new EndlessBody(source);
  if (!/^\d{1,15}$/.test(length)) throw garbled();
  return new SizedBody(source, Number(length));
}

class SizedBody implements Body {
  readonly #source: ByteSource;
  #missing: number;
  #lent = 0;

  constructor(source: ByteSource, length: number) {
    this.#source = source;
    this.#missing = length;
  }

  async read(): Promise<Uint8Array | null> {
    this.#source.consume(this.#lent);
    this.#lent = 0;
    if (this.#missing === 0) return null;
    const piece = (await someBytes(this.#source)).subarray(0, this.#missing);
    this.#lent = piece.length;
    this.#missing -= piece.length;
    return piece;
  }
}

class EndlessBody implements Body {
  readonly #source: ByteSource;
  #lent = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async read(): Promise<Uint8Array | null> {
    this.#source.consume(this.#lent);
    this.#lent = 0;
    if (this.#source.peek().length === 0 && !await this.#source.fill()) {
      return null;
    }
    const piece = this.#source.peek();
    this.#lent = piece.length;
    return piece;
  }
}

class ChunkedBody implements Body {
  readonly #source: ByteSource;
  /** Rest of the chunk; -1 before the first, so that no line end is due. */
  #missing = -1;
  #lent = 0;
  #ended = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async read(): Promise<Uint8Array | null> {
    this.#source.consume(this.#lent);
    this.#lent = 0;
    if (this.#ended) return null;
    if (this.#missing <= 0) {
      if (this.#missing === 0 && await this.#line() !== "") throw garbled();
      this.#missing = decodeChunkSize(await this.#line());
      if (this.#missing === 0) {
        while (await this.#line() !== "");
        this.#ended = true;
        return null;
      }
    }
    const piece = (await someBytes(this.#source)).subarray(0, this.#missing);
    this.#lent = piece.length;
    this.#missing -= piece.length;
    return piece;
  }

  async #line(): Promise<string> {
    let text = "";
    for (;;) {
      const bytes = await someBytes(this.#source);
      const end = bytes.indexOf(0x0a);
      const part = end < 0 ? bytes : bytes.subarray(0, end);
      text += String.fromCharCode(...part.subarray(0, 4096));
      this.#source.consume(end < 0 ? bytes.length : end + 1);
      if (text.length > 4096) throw garbled();
      if (end >= 0) return text.trimEnd();
    }
  }
}

/** The size before the chunk's extensions (RFC 9112 section 7.1). */
function decodeChunkSize(line: string): number {
  const [, size] = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i.exec(line) ?? [];
  if (size === undefined) throw garbled();
  return parseInt(size, 16);
}

async function someBytes(source: ByteSource): Promise<Uint8Array> {
  while (source.peek().length === 0) {
    if (await source.fill()) continue;
    const detail = "the connection ended amid an answer";
    throw new ObstacleError({ kind: "reset", detail });
  }
  return source.peek();
}

function garbled(): ObstacleError {
  return new ObstacleError({
    kind: "protocol",
    detail: "its answer is not proper HTTP",
  });
}

/** The objects of a list, one by one while its body arrives: of a long page no more than an object is at hand at a time. */
import type { Body } from "./_http_body.ts";
import type { ListMeta } from "./object.ts";
import { ObstacleError } from "./unreachable.ts";

/** An object longer than this is not taken, nor a list with more around its objects: etcd holds objects of 1.5 MiB. */
const limitBytes = 32 * 1024 * 1024;

/**
 * Gives the objects and returns what the list says of itself. The next piece is read when the next object is asked for.
 *
 * @throws {ObstacleError} `protocol` when the body is no list.
 */
export async function* listItems<T>(
  body: Body,
): AsyncGenerator<T, ListMeta, void> {
  const scanner = new ListScanner();
  for (let piece = await body.read(); piece; piece = await body.read()) {
    for (const item of scanner.take(piece)) yield parse<T>(item);
  }
  const { metadata } = parse<{ metadata?: ListMeta } | null>(scanner.rest) ??
    {};
  if (metadata === undefined) throw noList();
  return metadata;
}

/** Cuts the elements of the array `items` out of a JSON object; looks at no more than braces, brackets and strings. */
class ListScanner {
  readonly #rest = new Text();
  #item = new Text();
  #depth = 0;
  #isString = false;
  #isEscaped = false;
  /** The last string that stands in the list itself: before an array, the name of its field. */
  #name = "";
  /** Inside of `items`, or of one of them: the depth of the list is 1, that of `items` 2. */
  #isItems = false;

  /** What stands around the elements. */
  get rest(): string {
    return this.#rest.take();
  }

  *take(piece: Uint8Array): Generator<string> {
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const octet = piece[at]!;
      if (this.#isString) {
        this.#takeOfString(octet);
        continue;
      }
      switch (octet) {
        case 0x22: // "
          this.#isString = true;
          if (this.#depth === 1) this.#name = "";
          break;
        case 0x2c: // the comma between two elements
          if (!this.#isItems || this.#depth !== 2) break;
          this.#rest.add(piece, from, at);
          from = at + 1;
          break;
        case 0x5b: // [
          if (this.#depth++ === 1) this.#isItems = this.#name === "items";
          break;
        case 0x7b: // {
          if (this.#isItems && this.#depth === 2) {
            this.#rest.add(piece, from, at);
            from = at;
          }
          this.#depth++;
          break;
        case 0x5d: // ]
          if (--this.#depth === 1) this.#isItems = false;
          break;
        case 0x7d: // }
          if (--this.#depth === 2 && this.#isItems) {
            this.#item.add(piece, from, at + 1);
            from = at + 1;
            yield this.#item.take();
          }
      }
    }
    const isInItem = this.#isItems && this.#depth > 2;
    (isInItem ? this.#item : this.#rest).add(piece, from, piece.length);
  }

  #takeOfString(octet: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (octet === 0x22) this.#isString = false;
    else if (octet === 0x5c) this.#isEscaped = true;
    else if (this.#depth === 1 && this.#name.length < 8) {
      this.#name += String.fromCharCode(octet);
    }
  }
}

/** Text that comes in pieces of UTF-8. */
class Text {
  #text = "";
  #decoder = new TextDecoder();

  add(piece: Uint8Array, from: number, to: number): void {
    const stream = { stream: true };
    this.#text += this.#decoder.decode(piece.subarray(from, to), stream);
    if (this.#text.length > limitBytes) {
      throw new RangeError(`Cannot take ${this.#text.length} bytes of a list`);
    }
  }

  take(): string {
    const text = this.#text + this.#decoder.decode();
    this.#text = "";
    return text;
  }
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw noList({ cause });
  }
}

function noList(options?: ErrorOptions): ObstacleError {
  const detail = "what answers is no API server";
  return new ObstacleError({ kind: "protocol", detail }, options);
}

import { Buffer } from "node:buffer";
import { H2Error } from "./error.ts";
import { decodeHuffman } from "./huffman.ts";
import { staticTable } from "./static_table.ts";

/** A field; a third part that is true says that no hop may put it into its table (RFC 7541 section 7.1.3). */
export type H2Field = readonly [
  name: string,
  value: string,
  neverIndexed?: boolean,
];

/** What we let peers use: the default, which is never changed. */
export const tableBytes = 4096;
/** What a list of fields may take, each counted with 32 more (RFC 9113 section 6.5.2). */
export const maxListBytes = 64 * 1024;
const maxFields = 200;
const fieldOverhead = 32;

/** Decodes header blocks of one direction of a connection (RFC 7541), all of them, in their order. */
export class HpackDecoder {
  /** The newest first. */
  readonly #table: H2Field[] = [];
  #tableSize = 0;
  #tableLimit = tableBytes;
  #octets: Uint8Array = new Uint8Array(0);
  #at = 0;

  /**
   * @returns The fields, or `undefined` when they are more than the bound allows; decoding goes on after that.
   * @throws {H2Error} of the connection, as the table is out of step then.
   */
  decode(block: Uint8Array): H2Field[] | undefined {
    this.#octets = block;
    this.#at = 0;
    const fields: H2Field[] = [];
    let listBytes = 0;
    let mayResize = true;
    while (this.#at < block.length) {
      const octet = block[this.#at]!;
      if ((octet & 0xe0) === 0x20) {
        if (!mayResize) throw broken("a table size in the middle of a block");
        this.#resize(this.#integer(5));
        continue;
      }
      mayResize = false;
      const field = this.#field(octet);
      listBytes += sizeOf(field);
      if (listBytes <= maxListBytes && fields.length <= maxFields) {
        fields.push(field);
      }
    }
    this.#octets = new Uint8Array(0);
    const isTooLong = listBytes > maxListBytes || fields.length > maxFields;
    return isTooLong ? undefined : fields;
  }

  #field(octet: number): H2Field {
    if (octet & 0x80) return this.#lookUp(this.#integer(7));
    const isAdded = (octet & 0x40) !== 0;
    const neverIndexed = (octet & 0xf0) === 0x10;
    const index = this.#integer(isAdded ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#lookUp(index)[0];
    const value = this.#string();
    const field: H2Field = neverIndexed ? [name, value, true] : [name, value];
    if (isAdded) this.#add(field);
    return field;
  }

  #lookUp(index: number): H2Field {
    const field = index <= staticTable.length
      ? staticTable[index - 1]
      : this.#table[index - staticTable.length - 1];
    if (field === undefined) throw broken("an index leads nowhere");
    return field;
  }

  #add(field: H2Field): void {
    this.#table.unshift(field);
    this.#tableSize += sizeOf(field);
    this.#evict();
  }

  #resize(limit: number): void {
    if (limit > tableBytes) throw broken("a table larger than allowed");
    this.#tableLimit = limit;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableSize > this.#tableLimit) {
      this.#tableSize -= sizeOf(this.#table.pop()!);
    }
  }

  /** RFC 7541 section 5.1, up to 2^28. */
  #integer(prefixBits: number): number {
    const most = (1 << prefixBits) - 1;
    let value = this.#octets[this.#at++]! & most;
    if (value < most) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      const octet = this.#octets[this.#at++];
      if (octet === undefined) throw broken("a block ends in a number");
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    throw broken("a number is too large");
  }

  #string(): string {
    const first = this.#octets[this.#at];
    if (first === undefined) throw broken("a block ends before a string");
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#octets.length) throw broken("a block ends in a string");
    const octets = this.#octets.subarray(this.#at, end);
    this.#at = end;
    return first & 0x80
      ? decodeHuffman(octets)
      : Buffer.from(octets.buffer, octets.byteOffset, length)
        .toString("latin1");
  }
}

function sizeOf([name, value]: H2Field): number {
  return name.length + value.length + fieldOverhead;
}

function broken(message: string): H2Error {
  return new H2Error("compression", message);
}

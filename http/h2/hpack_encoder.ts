import { Buffer } from "node:buffer";
import type { H2Field } from "./hpack_decoder.ts";
import { staticTable } from "./static_table.ts";

const nameIndex = new Map<string, number>();
const fieldIndex = new Map<string, number>();
staticTable.forEach(([name, value], at) => {
  if (!nameIndex.has(name)) nameIndex.set(name, at + 1);
  fieldIndex.set(`${name}\n${value}`, at + 1);
});

/** Gives up the table: at the beginning of a connection's first block. */
const noTable = 0x20;

/**
 * Encodes header blocks without a table of its own, so that a block depends on no other: what goes out may be ordered, or
 * thrown away, at any time.
 */
export class HpackEncoder {
  #isFirst = true;

  encode(fields: readonly H2Field[]): Uint8Array {
    const parts: (number | string)[] = [];
    if (this.#isFirst) parts.push(noTable);
    this.#isFirst = false;
    for (const [name, value, neverIndexed] of fields) {
      const whole = fieldIndex.get(`${name}\n${value}`);
      if (whole !== undefined && !neverIndexed) {
        integer(parts, 0x80, 7, whole);
        continue;
      }
      const known = nameIndex.get(name) ?? 0;
      integer(parts, neverIndexed ? 0x10 : 0, 4, known);
      if (known === 0) string(parts, name);
      string(parts, value);
    }
    return join(parts);
  }
}

function string(parts: (number | string)[], text: string): void {
  integer(parts, 0, 7, text.length);
  parts.push(text);
}

/** RFC 7541 section 5.1. */
function integer(
  parts: (number | string)[],
  pattern: number,
  prefixBits: number,
  value: number,
): void {
  const most = (1 << prefixBits) - 1;
  if (value < most) {
    parts.push(pattern | value);
    return;
  }
  parts.push(pattern | most);
  let rest = value - most;
  for (; rest >= 0x80; rest >>>= 7) parts.push(rest & 0x7f | 0x80);
  parts.push(rest);
}

function join(parts: readonly (number | string)[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += typeof part === "number" ? 1 : part.length;
  const octets = Buffer.alloc(size);
  let at = 0;
  for (const part of parts) {
    if (typeof part === "number") octets[at++] = part;
    else at += octets.write(part, at, "latin1");
  }
  return octets;
}

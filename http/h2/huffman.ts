import { Buffer } from "node:buffer";
import { H2Error } from "./error.ts";

/** How many bits each octet's code has, and the end's (RFC 7541 appendix B). The code is canonical, so they tell all. */
// deno-fmt-ignore
const codeLengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const endOfString = 256;
const longest = 30;

/** Symbols in the order of their codes; of each length the first code, and where its symbols begin. */
const symbols: number[] = [];
const firstCode = new Uint32Array(longest + 1);
const firstSymbol = new Uint32Array(longest + 1);
const countOf = new Uint32Array(longest + 1);
for (let length = 1, code = 0; length <= longest; length++, code <<= 1) {
  firstCode[length] = code;
  firstSymbol[length] = symbols.length;
  codeLengths.forEach((bits, symbol) => {
    if (bits === length) symbols.push(symbol);
  });
  countOf[length] = symbols.length - firstSymbol[length]!;
  code += countOf[length]!;
}

/**
 * Decodes a string, a character for each octet.
 *
 * @throws {H2Error} when it holds the end's code, or ends in anything but less than 8 bits of its beginning.
 */
export function decodeHuffman(octets: Uint8Array): string {
  // The shortest code has 5 bits.
  const text = new Uint8Array(Math.ceil(octets.length * 8 / 5));
  let size = 0;
  let code = 0;
  let length = 0;
  for (const octet of octets) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code << 1 | octet >> bit & 1;
      length++;
      const offset = code - firstCode[length]!;
      if (offset < countOf[length]!) {
        const symbol = symbols[firstSymbol[length]! + offset]!;
        if (symbol === endOfString) throw broken();
        text[size++] = symbol;
        code = length = 0;
      }
    }
  }
  if (length > 7 || code !== (1 << length) - 1) throw broken();
  return Buffer.from(text.buffer, 0, size).toString("latin1");
}

function broken(): H2Error {
  return new H2Error("compression", "a string is no Huffman code");
}

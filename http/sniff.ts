import { Buffer } from "node:buffer";
import { sourceBytes } from "./byte_source.ts";

/** What a client speaks. `undecided` until more octets are there. */
export type Protocol = "h1" | "h2" | "other" | "undecided";

/** RFC 9113 section 3.4. */
export const h2Preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Longer methods are no HTTP of this world; a protocol that begins with a long word is told soon. */
const maxMethodOctets = 32;
const tokenOctet = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~") tokenOctet[char.charCodeAt(0)] = 1;
for (let octet = 0; octet < 128; octet++) {
  if (/[0-9A-Za-z]/.test(String.fromCharCode(octet))) tokenOctet[octet] = 1;
}

/** What clients that are lenient, or mean harm, put before a request or between its words. */
const blankOctet = new Uint8Array(256);
for (const char of " \t\r\n") blankOctet[char.charCodeAt(0)] = 1;

/** As RFC 9112 section 3 has it, behind the method. */
const strictLine = /^ [^ \r]+ HTTP\/1\.[01]\r$/;
/** Some servers would take it all the same, so it must not pass unread: the reader of requests refuses it. */
const likeALine = /HTTP\/\d+(\.\d+)?[ \t\r]*$/i;

/**
 * Tells by the first octets of a connection what its client speaks. Only a whole request line makes it `h1`: many protocols
 * begin with a word.
 */
export function sniff(octets: Uint8Array): Protocol {
  const compared = Math.min(octets.length, h2Preface.length);
  if (h2Preface.subarray(0, compared).equals(octets.subarray(0, compared))) {
    return compared === h2Preface.length ? "h2" : "undecided";
  }
  const begin = octets.findIndex((octet) => !blankOctet[octet]);
  if (begin < 0) return tooLong(octets, maxMethodOctets);
  const length = octets.subarray(begin).findIndex((octet) =>
    !tokenOctet[octet]
  );
  if (length < 0) return tooLong(octets.subarray(begin), maxMethodOctets);
  const methodEnd = begin + length;
  if (length === 0 || length > maxMethodOctets) return "other";
  if (octets[methodEnd] !== 0x20 && octets[methodEnd] !== 0x09) return "other";
  const lineEnd = octets.indexOf(0x0a, methodEnd);
  const end = lineEnd < 0 ? octets.length : lineEnd;
  for (let at = methodEnd; at < end; at++) {
    const octet = octets[at]!;
    if (octet < 0x20 && !blankOctet[octet] || octet === 0x7f) return "other";
  }
  if (lineEnd < 0) return tooLong(octets, sourceBytes - 1);
  const line = Buffer.from(octets.subarray(methodEnd, lineEnd))
    .toString("latin1");
  if (begin === 0 && strictLine.test(line)) return "h1";
  return likeALine.test(line) ? "h1" : "other";
}

function tooLong(octets: Uint8Array, max: number): Protocol {
  return octets.length > max ? "other" : "undecided";
}

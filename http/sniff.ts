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

/**
 * Tells by the first octets of a connection what its client speaks. Only a whole request line of HTTP/1.0 or HTTP/1.1
 * makes it `h1`: many protocols begin with a word.
 */
export function sniff(octets: Uint8Array): Protocol {
  const compared = Math.min(octets.length, h2Preface.length);
  if (h2Preface.subarray(0, compared).equals(octets.subarray(0, compared))) {
    return compared === h2Preface.length ? "h2" : "undecided";
  }
  const methodEnd = octets.findIndex((octet) => !tokenOctet[octet]);
  if (methodEnd < 0) {
    return octets.length > maxMethodOctets ? "other" : "undecided";
  }
  if (methodEnd === 0 || methodEnd > maxMethodOctets) return "other";
  if (octets[methodEnd] !== 0x20) return "other";
  const lineEnd = octets.indexOf(0x0a, methodEnd);
  const end = lineEnd < 0 ? octets.length : lineEnd;
  for (let at = methodEnd; at < end; at++) {
    const octet = octets[at]!;
    if (octet < 0x20 && octet !== 0x0d || octet === 0x7f) return "other";
  }
  if (lineEnd < 0) return octets.length < sourceBytes ? "undecided" : "other";
  const line = Buffer.from(octets.subarray(methodEnd, lineEnd))
    .toString("latin1");
  return /^ [^ \r]+ HTTP\/1\.[01]\r$/.test(line) ? "h1" : "other";
}

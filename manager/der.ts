/** What a certificate needs of DER (X.690): a value is its tag, its length, its octets. Pure. */

type Bytes = Uint8Array<ArrayBuffer>;

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Any value; its octets are those of `parts` in a row. */
export function encodeTagged(tag: number, ...parts: Uint8Array[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [tag, ...encodeLength(length)];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** X.690 section 8.1.3: one octet up to 127, else how many octets, then these. */
function encodeLength(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) octets.unshift(rest & 0xff);
  return [0x80 | octets.length, ...octets];
}

export function encodeSequence(...parts: Uint8Array[]): Bytes {
  return encodeTagged(tags.sequence, ...parts);
}

export function encodeSet(...parts: Uint8Array[]): Bytes {
  return encodeTagged(tags.set, ...parts);
}

/** A number that is not negative, from its octets, highest first: the fewest that leave the sign bit free. */
export function encodeUnsigned(octets: Uint8Array): Bytes {
  const first = octets.findIndex((octet) => octet !== 0);
  const needed = first < 0 ? new Uint8Array(1) : octets.subarray(first);
  const sign = new Uint8Array(needed[0]! & 0x80 ? 1 : 0);
  return encodeTagged(tags.integer, sign, needed);
}

/** From its words with dots. The first two share an octet (X.690 section 8.19.4). */
export function encodeObjectIdentifier(text: string): Bytes {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const octets = [first * 40 + second, ...rest].flatMap(encodeBase128);
  return encodeTagged(tags.objectIdentifier, new Uint8Array(octets));
}

function encodeBase128(value: number): number[] {
  const octets = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) {
    octets.unshift(rest & 0x7f | 0x80);
  }
  return octets;
}

export function encodeTrue(): Bytes {
  return encodeTagged(tags.boolean, new Uint8Array([0xff]));
}

/** Whole octets, or fewer bits of the last. */
export function encodeBitString(octets: Uint8Array, unusedBits = 0): Bytes {
  return encodeTagged(tags.bitString, new Uint8Array([unusedBits]), octets);
}

export function encodeOctetString(octets: Uint8Array): Bytes {
  return encodeTagged(tags.octetString, octets);
}

export function encodeUtf8(text: string): Bytes {
  return encodeTagged(tags.utf8String, new TextEncoder().encode(text));
}

/** Whole seconds. From 2050 on with all digits of the year (RFC 5280 section 4.1.2.5). */
export function encodeTime(date: Date): Bytes {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, "");
  const isShort = date.getUTCFullYear() < 2050;
  const text = new TextEncoder().encode(isShort ? digits.slice(2) : digits);
  return encodeTagged(isShort ? tags.utcTime : tags.generalizedTime, text);
}

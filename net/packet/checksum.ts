/** The Internet checksum (RFC 1071) and its incremental update (RFC 1624). Sums are not complemented unless said. */

/** Adds the 16-bit words of `bytes[start..end)`; an odd last octet counts as the high half of a word. */
export function sumOf(
  bytes: Uint8Array,
  { start, end, initial = 0 }: { start: number; end: number; initial?: number },
): number {
  let sum = initial;
  const even = end - ((end - start) & 1);
  for (let at = start; at < even; at += 2) {
    sum += bytes[at]! << 8 | bytes[at + 1]!;
  }
  if (even < end) sum += bytes[even]! << 8;
  return fold(sum);
}

/** Folds the carries of a sum (less than 2^48) into 16 bits. */
export function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** What a sum gains when words that sum to `before` become words that sum to `after`. */
export function deltaOf(before: number, after: number): number {
  return fold((~before & 0xffff) + after);
}

/** A checksum field (complemented) after its words changed by `delta` (RFC 1624, equation 3). */
export function updateChecksum(field: number, delta: number): number {
  return ~fold((~field & 0xffff) + delta) & 0xffff;
}

/** A field that holds a sum, not its complement, after its words changed by `delta`. */
export function updateSum(field: number, delta: number): number {
  return fold(field + delta);
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

export function writeUint16(bytes: Uint8Array, at: number, value: number) {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 |
    bytes[at + 3]!) >>> 0;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number) {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

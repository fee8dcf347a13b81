/** Numbers and text in bytes, big-endian, written and read in place. */
import { ProtocolError } from "./protocol_error.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 |
    bytes[at + 3]!) >>> 0;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

const u32Range = 2 ** 32;
/** Above it an offset is not an exact number. */
export const maxOffset = Number.MAX_SAFE_INTEGER;

/** @throws {ProtocolError} for 2^53 and above. */
export function readOffset(bytes: Uint8Array, at: number): number {
  const offset = readU32(bytes, at) * u32Range + readU32(bytes, at + 4);
  if (offset > maxOffset) {
    throw new ProtocolError("bad-frame", "an offset is 2^53 or more");
  }
  return offset;
}

export function writeOffset(
  bytes: Uint8Array,
  at: number,
  offset: number,
): void {
  writeU32(bytes, at, Math.floor(offset / u32Range));
  writeU32(bytes, at + 4, offset % u32Range);
}

/** Text for people out of a frame: broken UTF-8 is replaced, control characters become spaces. */
export function readDetail(bytes: Uint8Array): string {
  return decoder.decode(bytes).replace(/\p{Cc}/gu, " ");
}

/** UTF-8 of `text`, cut to at most `maxBytes` between characters. */
export function encodeText(text: string, maxBytes: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(text.length * 3, maxBytes));
  return bytes.subarray(0, encoder.encodeInto(text, bytes).written);
}

import { errorCodes, type ErrorWord, H2Error } from "./error.ts";

/** RFC 9113 section 6. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export const frameHeadOctets = 9;
/** The largest payload that we take, and that peers take unless they say more. */
export const maxPayload = 16_384;
export const maxWindow = 2 ** 31 - 1;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Valid until more is read. */
  readonly payload: Uint8Array;
}

/**
 * The frame that begins `octets`; `undefined` while it is not whole.
 *
 * @throws {H2Error} when it is larger than allowed.
 */
export function decodeFrame(octets: Uint8Array): Frame | undefined {
  if (octets.length < frameHeadOctets) return undefined;
  const length = octets[0]! << 16 | octets[1]! << 8 | octets[2]!;
  if (length > maxPayload) throw new H2Error("frame-size", "a frame too large");
  const end = frameHeadOctets + length;
  if (octets.length < end) return undefined;
  return {
    type: octets[3]!,
    flags: octets[4]!,
    streamId: readUint32(octets, 5) & 0x7fffffff,
    payload: octets.subarray(frameHeadOctets, end),
  };
}

export function encodeFrameHead(
  into: Uint8Array,
  at: number,
  { length, type, flags, streamId }: {
    length: number;
    type: number;
    flags: number;
    streamId: number;
  },
): void {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  writeUint32(into, at + 5, streamId);
}

export function encodeFrame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | readonly number[],
): Uint8Array {
  const { length } = payload;
  const octets = new Uint8Array(frameHeadOctets + length);
  encodeFrameHead(octets, 0, { length, type, flags, streamId });
  octets.set(payload, frameHeadOctets);
  return octets;
}

/** The payload without padding and, of HEADERS, without priority. */
export function unpad({ type, flags, streamId, payload }: Frame): Uint8Array {
  let begin = 0;
  let end = payload.length;
  if (flags & flag.padded) {
    begin = 1;
    end -= payload[0] ?? 0;
  }
  if (type === frameType.headers && flags & flag.priority) {
    // Of the connection, as the block that it begins is not decoded then.
    if (
      begin + 5 <= payload.length &&
      (readUint32(payload, begin) & 0x7fffffff) === streamId
    ) throw new H2Error("protocol", "a stream depends on itself");
    begin += 5;
  }
  if (begin > end) throw new H2Error("protocol", "more padding than frame");
  return payload.subarray(begin, end);
}

export function uint32(value: number): number[] {
  return [
    value >>> 24 & 255,
    value >>> 16 & 255,
    value >>> 8 & 255,
    value & 255,
  ];
}

export function readUint32(octets: Uint8Array, at: number): number {
  return (octets[at]! << 24 | octets[at + 1]! << 16 | octets[at + 2]! << 8 |
    octets[at + 3]!) >>> 0;
}

function writeUint32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24;
  octets[at + 1] = value >>> 16;
  octets[at + 2] = value >>> 8;
  octets[at + 3] = value;
}

/** @throws {H2Error} of the connection unless the payload has so many octets. */
export function checkLength(frame: Frame, octets: number): void {
  if (frame.payload.length !== octets) {
    throw new H2Error("frame-size", `frame ${frame.type} has another size`);
  }
}

export function resetFrame(streamId: number, code: number): Uint8Array {
  return encodeFrame(frameType.resetStream, 0, streamId, uint32(code));
}

export function windowFrame(streamId: number, octets: number): Uint8Array {
  return encodeFrame(frameType.windowUpdate, 0, streamId, uint32(octets));
}

export function goAwayFrame(lastId: number, code: number): Uint8Array {
  return encodeFrame(frameType.goAway, 0, 0, [
    ...uint32(lastId),
    ...uint32(code),
  ]);
}

export function codeOf(word: ErrorWord): number {
  return errorCodes[word];
}

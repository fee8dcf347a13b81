/**
 * The frames of SPDY/3.1 that a port-forward needs. Pure.
 *
 * Header blocks are written as zlib data without compression: a stored block each, then an empty one as the flush that
 * makes the receiver hand them on (RFC 1951 section 3.2.4, RFC 1950 section 2.2).
 */

export const controlTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Flag of SYN_STREAM, SYN_REPLY and data: the sender sends no more on the stream. */
export const flagFin = 1;

/** Every frame starts with a header of that many octets. */
export const headerBytes = 8;

export type SpdyHeader =
  | { control: true; type: number; flags: number; length: number }
  | { control: false; stream: number; flags: number; length: number };

/**
 * Decodes a frame's header.
 *
 * @throws {RangeError} for a control frame of another version than 3.
 */
export function decodeSpdyHeader(bytes: Uint8Array): SpdyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const flags = view.getUint8(4);
  const length = view.getUint32(4) & 0xffffff;
  const first = view.getUint32(0);
  if (first < 0x80000000) {
    return { control: false, stream: first, flags, length };
  }
  const version = first >>> 16 & 0x7fff;
  if (version !== 3) throw new RangeError(`Cannot take SPDY/${version}`);
  return { control: true, type: first & 0xffff, flags, length };
}

/** Writes the header of a data frame at `at`. */
export function encodeDataHeader(
  buffer: Uint8Array,
  { at, stream, flags = 0, length }: {
    at: number;
    stream: number;
    flags?: number;
    length: number;
  },
): void {
  buffer[at] = stream >>> 24;
  buffer[at + 1] = stream >>> 16;
  buffer[at + 2] = stream >>> 8;
  buffer[at + 3] = stream;
  buffer[at + 4] = flags;
  buffer[at + 5] = length >>> 16;
  buffer[at + 6] = length >>> 8;
  buffer[at + 7] = length;
}

/** Encodes what opens a stream. */
export function encodeSynStream(
  { stream, flags = 0, headers, first }: {
    stream: number;
    flags?: number;
    /** Names in lower case. */
    headers: Record<string, string>;
    /** Whether it is the connection's first header block: that starts the zlib stream. */
    first: boolean;
  },
): Uint8Array {
  const block = deflateStored(encodeHeaderBlock(headers), first);
  const payload = new Uint8Array(10 + block.length);
  // Stream, associated stream (none), priority and slot (0).
  new DataView(payload.buffer).setUint32(0, stream);
  payload.set(block, 10);
  return encodeControl(controlTypes.synStream, { flags, payload });
}

/** Encodes a PING; the answer to one is the same again. */
export function encodePing(id: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, id);
  return encodeControl(controlTypes.ping, { flags: 0, payload });
}

function encodeControl(
  type: number,
  { flags, payload }: { flags: number; payload: Uint8Array },
): Uint8Array {
  const frame = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(frame.buffer);
  // Control bit and version, type, flags and length.
  view.setUint16(0, 0x8003);
  view.setUint16(2, type);
  view.setUint32(4, payload.length);
  frame[4] = flags;
  frame.set(payload, headerBytes);
  return frame;
}

/** Count of pairs; of each the name's length, the name, the value's length, the value. */
function encodeHeaderBlock(headers: Record<string, string>): Uint8Array {
  const encoder = new TextEncoder();
  const texts = Object.entries(headers).flat().map((text) =>
    encoder.encode(text)
  );
  const size = texts.reduce((sum, text) => sum + 4 + text.length, 4);
  const block = new Uint8Array(size);
  const view = new DataView(block.buffer);
  view.setUint32(0, texts.length / 2);
  let at = 4;
  for (const text of texts) {
    view.setUint32(at, text.length);
    block.set(text, at + 4);
    at += 4 + text.length;
  }
  return block;
}

function deflateStored(bytes: Uint8Array, first: boolean): Uint8Array {
  const [low, high] = [bytes.length & 0xff, bytes.length >> 8];
  return new Uint8Array([
    // Deflate with a window of 32 KiB, fastest, no dictionary.
    ...first ? [0x78, 0x01] : [],
    // Not the last block, stored; its length and the complement of that.
    ...[0x00, low, high, low ^ 0xff, high ^ 0xff],
    ...bytes,
    // The empty stored block.
    ...[0x00, 0x00, 0x00, 0xff, 0xff],
  ]);
}

/** WebSocket frames (RFC 6455 section 5.2). Pure. */

export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** Length of the longest header of a frame that we send: 2 + 8 of length + 4 of mask. */
export const longestHeader = 14;

export interface FrameHeader {
  /** The message ends with this frame. */
  final: boolean;
  opcode: number;
  /** Octets of payload that follow. */
  length: number;
  /** Octets that this header takes. */
  size: number;
}

/**
 * Decodes the header at the start of `bytes`; `undefined` when it is not all there.
 *
 * @throws {RangeError} when a server must not send such a frame.
 */
export function decodeFrameHeader(bytes: Uint8Array): FrameHeader | undefined {
  if (bytes.length < 2) return undefined;
  const [first, second] = bytes as unknown as [number, number];
  if (first & 0x70) throw new RangeError("Cannot take frame: reserved bits");
  if (second & 0x80) throw new RangeError("Cannot take frame: masked");
  const opcode = first & 0x0f;
  const final = (first & 0x80) !== 0;
  const short = second & 0x7f;
  if (opcode >= opcodes.close && (!final || short > 125)) {
    throw new RangeError("Cannot take frame: control frame too long");
  }
  if (short < 126) return { final, opcode, length: short, size: 2 };
  const size = short === 126 ? 4 : 10;
  if (bytes.length < size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  const length = short === 126
    ? view.getUint16(2)
    : Number(view.getBigUint64(2));
  if (length > Number.MAX_SAFE_INTEGER) {
    throw new RangeError("Cannot take frame: length");
  }
  return { final, opcode, length, size };
}

/**
 * Makes `buffer` from `from` to `to` the payload of a final frame: masks it in place and writes the header before it.
 *
 * @param from At least {@link longestHeader}; a multiple of 4 makes it fast.
 * @param options.key The mask, in memory order.
 * @returns Where the frame starts.
 */
export function encodeFrame(
  buffer: Uint8Array,
  { opcode, from, to, key }: {
    opcode: number;
    from: number;
    to: number;
    key: number;
  },
): number {
  const length = to - from;
  const start = from - (length < 126 ? 6 : length < 0x10000 ? 8 : 14);
  const view = new DataView(buffer.buffer, buffer.byteOffset);
  buffer[start] = 0x80 | opcode;
  if (length < 126) {
    buffer[start + 1] = 0x80 | length;
  } else if (length < 0x10000) {
    buffer[start + 1] = 0x80 | 126;
    view.setUint16(start + 2, length);
  } else {
    buffer[start + 1] = 0x80 | 127;
    view.setBigUint64(start + 2, BigInt(length));
  }
  keyWord[0] = key;
  buffer.set(keyBytes, from - 4);
  mask(buffer.subarray(from, to), key);
  return start;
}

const keyWord = new Int32Array(1);
const keyBytes = new Uint8Array(keyWord.buffer);

/** XORs with the key over and over (RFC 6455 section 5.3), four octets at a time where they lie for that. */
function mask(bytes: Uint8Array, key: number): void {
  let done = 0;
  if (bytes.byteOffset % 4 === 0) {
    const words = new Int32Array(
      bytes.buffer,
      bytes.byteOffset,
      bytes.length >> 2,
    );
    for (let i = 0; i < words.length; i++) words[i]! ^= key;
    done = words.length * 4;
  }
  for (let i = done; i < bytes.length; i++) bytes[i]! ^= keyBytes[i & 3]!;
}

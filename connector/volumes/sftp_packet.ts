/** Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02): those that it takes to read files. */

/** Types of packets (section 3). */
export const sftpTypes = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  openDirectory: 11,
  readDirectory: 12,
  realPath: 16,
  stat: 17,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
} as const;

/** What is at a path; absent is what the server did not tell. */
export interface SftpAttributes {
  readonly size?: number;
  /** Kind and permissions, as `st_mode`. */
  readonly mode?: number;
  /** Seconds since 1970. */
  readonly modified?: number;
}

/** An answer of the server that is no success (section 7). */
export class SftpStatusError extends Error {
  override readonly name = "SftpStatusError";

  constructor(readonly code: number, text: string) {
    super(text);
  }
}

/** Of {@link SftpStatusError}: the end of a file or directory. */
export const sftpEnd = 1;

const [hasSize, hasOwner, hasPermissions, hasTimes, hasMore] = [
  0x1,
  0x2,
  0x4,
  0x8,
  0x8000_0000,
];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A packet of these fields with its length: numbers of 32 bits, of 64 bits as bigint, texts and octets with their length. */
export function encodeSftp(
  type: number,
  fields: readonly (number | bigint | string | Uint8Array)[],
): Uint8Array {
  const parts = fields.map((field) =>
    typeof field === "string" ? encoder.encode(field) : field
  );
  const sizes = parts.map((part) =>
    typeof part === "number" ? 4 : typeof part === "bigint" ? 8 : 4 +
      part.length
  );
  const size = sizes.reduce((sum, size) => sum + size, 1);
  const packet = new Uint8Array(4 + size);
  const view = new DataView(packet.buffer);
  view.setUint32(0, size);
  view.setUint8(4, type);
  let at = 5;
  for (const [index, part] of parts.entries()) {
    if (typeof part === "number") view.setUint32(at, part);
    else if (typeof part === "bigint") view.setBigUint64(at, part);
    else {
      view.setUint32(at, part.length);
      packet.set(part, at + 4);
    }
    at += sizes[index]!;
  }
  return packet;
}

/** Where in a packet of attributes, its length included, the mode of a symbolic link is; undefined when there is none. */
export function linkOfAttributes(packet: Uint8Array): number | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const flagsAt = 9; // After length, type and id.
  if (packet.length < flagsAt + 4) return undefined;
  const flags = view.getUint32(flagsAt);
  const at = flagsAt + 4 + (flags & hasSize ? 8 : 0) +
    (flags & hasOwner ? 8 : 0);
  if (!(flags & hasPermissions) || packet.length < at + 4) return undefined;
  return (view.getUint32(at) & 0o170000) === 0o120000 ? at : undefined;
}

/**
 * Reads the fields of a packet one after the other.
 *
 * Each method throws a RangeError when the packet ends before its field does.
 */
export class SftpReader {
  #at = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  number(): number {
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }

  /** A part of the packet, not a copy of it. */
  octets(): Uint8Array {
    const length = this.number();
    if (length > this.bytes.length - this.#at) {
      throw new RangeError("Cannot read an SFTP packet: it is cut off");
    }
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return decoder.decode(this.octets());
  }

  attributes(): SftpAttributes {
    const flags = this.number();
    const read: { -readonly [K in keyof SftpAttributes]: SftpAttributes[K] } =
      {};
    if (flags & hasSize) {
      read.size = this.number() * 2 ** 32 + this.number();
    }
    if (flags & hasOwner) this.#at += 8;
    if (flags & hasPermissions) read.mode = this.number();
    if (flags & hasTimes) {
      this.number();
      read.modified = this.number();
    }
    if (flags & hasMore) {
      for (let left = this.number(); left > 0; left--) {
        this.octets();
        this.octets();
      }
    }
    return read;
  }
}

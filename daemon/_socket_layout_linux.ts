/** What Linux is told of a Unix socket and of what is sent by it (unix(7), cmsg(3)), but for what is pointed to. */
import { cString } from "../libc/mod.ts";

const unixFamily = 1; // AF_UNIX
const pathBytes = 108;
const socketLevel = 1; // SOL_SOCKET
const rights = 1; // SCM_RIGHTS
const headerBytes = 16; // struct cmsghdr: length, level, type
const usedBytes = headerBytes + 4;

/** struct sockaddr_un: family, path ended by zero. */
export function unixAddress(path: string): Uint8Array<ArrayBuffer> {
  const text = cString(path);
  if (text.length > pathBytes) {
    throw new RangeError(`Cannot use "${path}": too long`);
  }
  return Uint8Array.of(unixFamily, 0, ...text);
}

/** With padding to a word. */
export const descriptorBytes = headerBytes + 8;

/** struct cmsghdr with one descriptor. */
export function descriptorMessage(fd: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(descriptorBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(usedBytes), true);
  view.setInt32(8, socketLevel, true);
  view.setInt32(12, rights, true);
  view.setInt32(headerBytes, fd, true);
  return bytes;
}

/** The descriptor of what {@link descriptorMessage} is like; `undefined` for anything else. */
export function descriptorIn(control: Uint8Array): number | undefined {
  const view = new DataView(control.buffer, control.byteOffset);
  const isDescriptor = view.getBigUint64(0, true) === BigInt(usedBytes) &&
    view.getInt32(8, true) === socketLevel &&
    view.getInt32(12, true) === rights;
  return isDescriptor ? view.getInt32(headerBytes, true) : undefined;
}

/** struct msghdr; the addresses are those of a struct iovec and of the control message. */
export function messageHeader(
  { vector, control }: {
    vector: bigint;
    control?: { address: bigint; length: number };
  },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(56);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(16, vector, true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, control?.address ?? 0n, true);
  view.setBigUint64(40, BigInt(control?.length ?? 0), true);
  return bytes;
}

/** What macOS is told of a Unix socket and of what is sent by it (unix(4), sys/socket.h), but for what is pointed to. */
import { cString } from "../libc/mod.ts";

const unixFamily = 1; // AF_UNIX
const pathBytes = 104;
const socketLevel = 0xffff; // SOL_SOCKET
const rights = 1; // SCM_RIGHTS
const headerBytes = 12; // struct cmsghdr: length, level, type

/** struct sockaddr_un: length, family, path ended by zero. */
export function unixAddress(path: string): Uint8Array<ArrayBuffer> {
  const text = cString(path);
  if (text.length > pathBytes) {
    throw new RangeError(`Cannot use "${path}": too long`);
  }
  return Uint8Array.of(2 + text.length, unixFamily, ...text);
}

/** struct cmsghdr with one descriptor. */
export function descriptorMessage(fd: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(descriptorBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, descriptorBytes, true);
  view.setInt32(4, socketLevel, true);
  view.setInt32(8, rights, true);
  view.setInt32(headerBytes, fd, true);
  return bytes;
}

export const descriptorBytes = headerBytes + 4;

/** The descriptor of what {@link descriptorMessage} is like; `undefined` for anything else. */
export function descriptorIn(control: Uint8Array): number | undefined {
  const view = new DataView(control.buffer, control.byteOffset);
  const isDescriptor = view.getUint32(0, true) === descriptorBytes &&
    view.getInt32(4, true) === socketLevel &&
    view.getInt32(8, true) === rights;
  return isDescriptor ? view.getInt32(headerBytes, true) : undefined;
}

/** struct msghdr; the addresses are those of a struct iovec and of the control message. */
export function messageHeader(
  { vector, control }: {
    vector: bigint;
    control?: { address: bigint; length: number };
  },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(16, vector, true);
  view.setInt32(24, 1, true);
  view.setBigUint64(32, control?.address ?? 0n, true);
  view.setUint32(40, control?.length ?? 0, true);
  return bytes;
}

/** Unix sockets that keep the boundaries of messages (SOCK_SEQPACKET, unix(7)), by FFI. */
import { addressOf, cString, errnos, PollList } from "../libc/mod.ts";
import type { SocketLibc } from "./_libc_linux.ts";
import { messageSize } from "./api.ts";
import {
  type MessageListener,
  type MessageSocket,
  type Peer,
  type Received,
  SocketError,
} from "./sockets.ts";

const addressFamily = 1; // AF_UNIX
const cloexec = 0x80000;
const nonBlocking = 0x800;
const packets = 5 | cloexec | nonBlocking; // SOCK_SEQPACKET
const setDescriptorFlags = 2; // F_SETFD
const setStatusFlags = 4; // F_SETFL
const noSignal = 0x4000; // MSG_NOSIGNAL
const closeOnExec = 0x40000000; // MSG_CMSG_CLOEXEC
const socketLevel = 1; // SOL_SOCKET
const peerCredentials = 17; // SO_PEERCRED
const rights = 1; // SCM_RIGHTS
/** Room for one descriptor: struct cmsghdr of 16 octets, the descriptor, padding (cmsg(3)). */
const controlSize = 24;

/** One end of a connection. */
export class PacketSocket implements MessageSocket {
  readonly #libc: SocketLibc;
  readonly fd: number;
  #open = true;

  constructor(libc: SocketLibc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  /** @throws {SocketError} */
  static connect(libc: SocketLibc, path: string): PacketSocket {
    const socket = new PacketSocket(libc, newSocket(libc));
    const address = socketAddress(path);
    if (libc.call.connect(socket.fd, address, address.length) < 0) {
      const { errno } = libc;
      socket[Symbol.dispose]();
      throw new SocketError(`connect to "${path}"`, errno);
    }
    return socket;
  }

  peer(): Peer {
    const credentials = new Int32Array(3); // struct ucred: pid, uid, gid
    const length = new Uint32Array([credentials.byteLength]);
    const result = this.#libc.call.getsockopt(
      this.fd,
      socketLevel,
      peerCredentials,
      credentials,
      length,
    );
    if (result < 0) throw new SocketError("ask who connects", this.#libc.errno);
    return { pid: credentials[0]!, uid: credentials[1]! >>> 0 };
  }

  send(bytes: Uint8Array<ArrayBuffer>, fd?: number): boolean {
    const control = fd === undefined ? undefined : controlMessage(fd);
    using header = messageHeader(bytes, control);
    const sent = this.#libc.call.sendmsg(this.fd, header.bytes, noSignal);
    return sent === BigInt(bytes.length);
  }

  receive({ descriptors = false } = {}): Received {
    // One octet more than a message has shows that one is too long.
    const bytes = new Uint8Array(messageSize + 1);
    const control = descriptors ? new Uint8Array(controlSize) : undefined;
    using header = messageHeader(bytes, control);
    const { call } = this.#libc;
    const length = Number(call.recvmsg(this.fd, header.bytes, closeOnExec));
    if (length < 0) {
      return this.#libc.errno === errnos.EAGAIN ? "nothing" : "end";
    }
    if (length === 0) return "end";
    const fd = control && descriptorIn(control);
    return {
      bytes: bytes.subarray(0, length),
      ...fd === undefined ? {} : { fd },
    };
  }

  endSending(): void {
    this.#libc.call.shutdown(this.fd, 1);
  }

  endReceiving(): void {
    this.#libc.call.shutdown(this.fd, 2);
  }

  [Symbol.dispose](): void {
    if (this.#open) this.#libc.call.close(this.fd);
    this.#open = false;
  }
}

export class PacketListener implements MessageListener {
  readonly #libc: SocketLibc;
  readonly fd: number;

  private constructor(libc: SocketLibc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  /** @throws {SocketError} */
  static bind(libc: SocketLibc, path: string): PacketListener {
    const listener = new PacketListener(libc, newSocket(libc));
    const { fd } = listener;
    const address = socketAddress(path);
    // With the mode from the start, nobody finds the socket there and is denied it.
    const umask = Deno.umask(0o111);
    const isBound = libc.call.bind(fd, address, address.length) === 0;
    if (!isBound || libc.call.listen(fd, 16) < 0) {
      const { errno } = libc;
      listener[Symbol.dispose]();
      Deno.umask(umask);
      throw new SocketError(`listen on "${path}"`, errno);
    }
    Deno.umask(umask);
    return listener;
  }

  /** @throws {SocketError} */
  static adopt(libc: SocketLibc, fd: number): PacketListener {
    const isOurs = libc.call.fcntl(fd, setDescriptorFlags, 1) === 0 &&
      libc.call.fcntl(fd, setStatusFlags, nonBlocking) === 0;
    if (!isOurs) throw new SocketError("take over the socket", libc.errno);
    return new PacketListener(libc, fd);
  }

  turnAllAway(): void {
    for (let one; (one = this.accept()) !== undefined;) one[Symbol.dispose]();
  }

  accept(): PacketSocket | undefined {
    const flags = cloexec | nonBlocking;
    const fd = this.#libc.call.accept4(this.fd, 0n, 0n, flags);
    return fd < 0 ? undefined : new PacketSocket(this.#libc, fd);
  }

  [Symbol.dispose](): void {
    this.#libc.call.close(this.fd);
  }
}

/** As `Sockets.waitReadable`. */
export async function waitReadable(
  libc: SocketLibc,
  sockets: Iterable<{ readonly fd: number }>,
  timeoutMs: number,
): Promise<void> {
  const list = new PollList([...sockets].map(({ fd }) => fd));
  await libc.call.poll(list.bytes, BigInt(list.length), timeoutMs);
}

function newSocket(libc: SocketLibc): number {
  const fd = libc.call.socket(addressFamily, packets, 0);
  if (fd < 0) throw new SocketError("open a socket", libc.errno);
  return fd;
}

/** struct sockaddr_un: family, path ended by zero. */
function socketAddress(path: string): Uint8Array<ArrayBuffer> {
  const text = cString(path);
  if (text.length > 108) throw new RangeError(`Cannot use "${path}": too long`);
  const bytes = new Uint8Array(2 + text.length);
  new DataView(bytes.buffer).setUint16(0, addressFamily, true);
  bytes.set(text, 2);
  return bytes;
}

/** A struct msghdr and what it points to, which must stay where it is until the call has returned. */
interface MessageHeader extends Disposable {
  bytes: Uint8Array<ArrayBuffer>;
}

function messageHeader(
  data: Uint8Array<ArrayBuffer>,
  control: Uint8Array<ArrayBuffer> | undefined,
): MessageHeader {
  const vector = new BigUint64Array([addressOf(data), BigInt(data.length)]);
  const bytes = new Uint8Array(56);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(16, addressOf(vector), true);
  view.setBigUint64(24, 1n, true);
  if (control !== undefined) {
    view.setBigUint64(32, addressOf(control), true);
    view.setBigUint64(40, BigInt(control.length), true);
  }
  const kept = [data, vector, control];
  return { bytes, [Symbol.dispose]: () => void kept.length };
}

/** struct cmsghdr: length, level, type; then the descriptor. */
function controlMessage(fd: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(controlSize);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 20n, true);
  view.setInt32(8, socketLevel, true);
  view.setInt32(12, rights, true);
  view.setInt32(16, fd, true);
  return bytes;
}

function descriptorIn(control: Uint8Array<ArrayBuffer>): number | undefined {
  const view = new DataView(control.buffer);
  const isDescriptor = view.getBigUint64(0, true) === 20n &&
    view.getInt32(8, true) === socketLevel &&
    view.getInt32(12, true) === rights;
  return isDescriptor ? view.getInt32(16, true) : undefined;
}

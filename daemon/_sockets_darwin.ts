/**
 * Unix sockets of macOS by FFI. They keep no boundaries of messages (SOCK_STREAM): all have one size, and are put together
 * again here.
 */
import {
  addressOf,
  closeOnExec,
  cString,
  errnos,
  PollList,
} from "../libc/mod.ts";
import { SocketLibc } from "./_libc_darwin.ts";
import { MessageAssembly } from "./_message_assembly.ts";
import {
  descriptorBytes,
  descriptorIn,
  descriptorMessage,
  messageHeader,
  unixAddress,
} from "./_socket_message_darwin.ts";
import {
  type HeldDirectory,
  type MessageListener,
  type MessageSocket,
  type Peer,
  type Received,
  SocketError,
  type Sockets,
} from "./sockets.ts";

const unixFamily = 1; // AF_UNIX
const stream = 1; // SOCK_STREAM
const doNotWait = 0x80; // MSG_DONTWAIT
const socketLevel = 0xffff; // SOL_SOCKET
const noSignal = 0x1022; // SO_NOSIGPIPE
const unixLevel = 0; // SOL_LOCAL
const peerProcess = 2; // LOCAL_PEERPID
const readOnly = 0x1000000; // O_RDONLY | O_CLOEXEC
const exclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB
/** struct stat is shorter; the inode is its fourth field. */
const statBytes = 256;
const inodeAt = 8;

export class DarwinSockets implements Sockets {
  readonly #libc = new SocketLibc();

  connect(path: string): MessageSocket {
    const fd = newSocket(this.#libc);
    const address = unixAddress(path);
    if (this.#libc.call.connect(fd, address, address.length) === 0) {
      return new StreamSocket(this.#libc, fd);
    }
    const { errno } = this.#libc;
    this.#libc.call.close(fd);
    throw new SocketError(`connect to "${path}"`, errno);
  }

  bind(path: string): MessageListener {
    const fd = newSocket(this.#libc);
    const { call } = this.#libc;
    const address = unixAddress(path);
    // With the mode from the start, nobody finds the socket there and is denied it.
    const umask = Deno.umask(0o111);
    const isBound = call.bind(fd, address, address.length) === 0 &&
      call.listen(fd, 16) === 0;
    Deno.umask(umask);
    if (isBound) return new StreamListener(this.#libc, fd);
    const { errno } = this.#libc;
    call.close(fd);
    throw new SocketError(`listen on "${path}"`, errno);
  }

  adopt(fd: number): MessageListener {
    closeOnExec(this.#libc.call, fd);
    return new StreamListener(this.#libc, fd);
  }

  async waitReadable(
    sockets: Iterable<{ readonly fd: number }>,
    timeoutMs: number,
  ): Promise<void> {
    const list = new PollList([...sockets].map(({ fd }) => fd));
    await this.#libc.call.poll(list.bytes, list.length, timeoutMs);
  }

  closeDescriptor(fd: number): void {
    this.#libc.call.close(fd);
  }

  lock(directory: string): HeldDirectory | undefined {
    const { call } = this.#libc;
    const fd = call.open(cString(directory), readOnly);
    if (fd < 0) {
      throw new Error(`Cannot open "${directory}": errno ${this.#libc.errno}`);
    }
    const close = () => void call.close(fd);
    const stat = new Uint8Array(statBytes);
    if (call.flock(fd, exclusiveNow) < 0 || call.fstat(fd, stat) < 0) {
      close();
      return undefined;
    }
    const inode = new DataView(stat.buffer).getBigUint64(inodeAt, true);
    return { inode: Number(inode), [Symbol.dispose]: close };
  }

  [Symbol.dispose](): void {
    this.#libc[Symbol.dispose]();
  }
}

class StreamSocket implements MessageSocket {
  readonly #libc: SocketLibc;
  readonly fd: number;
  readonly #assembly = new MessageAssembly();
  #open = true;

  constructor(libc: SocketLibc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
    closeOnExec(libc.call, fd);
    const on = new Uint8Array(Int32Array.of(1).buffer);
    libc.call.setsockopt(fd, socketLevel, noSignal, on, on.length);
  }

  peer(): Peer {
    const { call } = this.#libc;
    const [uid, gid, pid, length] = [1, 1, 1, 1].map(() => new Uint8Array(4));
    length![0] = 4;
    const isTold = call.getpeereid(this.fd, uid!, gid!) === 0 &&
      call.getsockopt(this.fd, unixLevel, peerProcess, pid!, length!) === 0;
    if (!isTold) throw new SocketError("ask who connects", this.#libc.errno);
    const number = (bytes: Uint8Array) =>
      new DataView(bytes.buffer).getUint32(0, true);
    return { pid: number(pid!), uid: number(uid!) };
  }

  send(bytes: Uint8Array<ArrayBuffer>, fd?: number): boolean {
    const control = fd === undefined ? undefined : descriptorMessage(fd);
    const sent = this.#withHeader(
      bytes,
      control,
      (header) => this.#libc.call.sendmsg(this.fd, header, doNotWait),
    );
    // A part of a message ends the connection: nothing can follow it.
    return sent === BigInt(bytes.length);
  }

  receive({ descriptors = false } = {}): Received {
    for (;;) {
      const control = descriptors ? new Uint8Array(descriptorBytes) : undefined;
      const length = Number(this.#withHeader(
        this.#assembly.room,
        control,
        (header) => this.#libc.call.recvmsg(this.fd, header, doNotWait),
      ));
      if (length < 0) {
        return this.#libc.errno === errnos.EAGAIN ? "nothing" : "end";
      }
      if (length === 0) return "end";
      const fd = control && descriptorIn(control);
      if (fd !== undefined) closeOnExec(this.#libc.call, fd);
      const message = this.#assembly.take(length, fd);
      if (message) return message;
    }
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

  /** What the header points to stays where it is until the call has returned. */
  #withHeader(
    data: Uint8Array<ArrayBuffer>,
    control: Uint8Array<ArrayBuffer> | undefined,
    call: (header: Uint8Array<ArrayBuffer>) => number | bigint,
  ): number | bigint {
    const vector = new BigUint64Array([addressOf(data), BigInt(data.length)]);
    const header = messageHeader({
      vector: addressOf(vector),
      ...control
        ? { control: { address: addressOf(control), length: control.length } }
        : {},
    });
    const result = call(header);
    void [data, vector, control].length;
    return result;
  }
}

class StreamListener implements MessageListener {
  readonly #libc: SocketLibc;
  readonly fd: number;

  constructor(libc: SocketLibc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
  }

  turnAllAway(): void {
    for (let one; (one = this.accept()) !== undefined;) one[Symbol.dispose]();
  }

  /** `accept` would wait where nobody does. */
  accept(): MessageSocket | undefined {
    const { call } = this.#libc;
    if (call.look(new PollList([this.fd]).bytes, 1, 0) <= 0) return undefined;
    const fd = call.accept(this.fd, 0n, 0n);
    return fd < 0 ? undefined : new StreamSocket(this.#libc, fd);
  }

  [Symbol.dispose](): void {
    this.#libc.call.close(this.fd);
  }
}

function newSocket(libc: SocketLibc): number {
  const fd = libc.call.socket(unixFamily, stream, 0);
  if (fd < 0) throw new SocketError("open a socket", libc.errno);
  closeOnExec(libc.call, fd);
  return fd;
}

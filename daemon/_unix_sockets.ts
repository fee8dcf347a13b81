import { cString, errnos, PollList } from "../libc/mod.ts";
import type { SocketLayout } from "./_socket_layout.ts";
import type { SocketLibc } from "./_socket_libc.ts";
import {
  type HeldDirectory,
  type MessageListener,
  type MessageSocket,
  SocketError,
  type Sockets,
} from "./sockets.ts";

const unixFamily = 1; // AF_UNIX
const exclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB
/** How often a socket is connected to whose queue has no room, which a listener that is at work makes at once. */
const maxTries = 5;

/** Unix sockets and the lock, as far as all systems have them alike. */
export abstract class UnixSockets<L extends SocketLibc> implements Sockets {
  protected readonly libc: L;
  protected abstract readonly layout: SocketLayout;
  /** The type of a socket. */
  protected abstract readonly type: number;
  /** O_RDONLY | O_CLOEXEC */
  protected abstract readonly readOnly: number;

  /** Takes `libc` over. */
  constructor(libc: L) {
    this.libc = libc;
  }

  connect(path: string): MessageSocket {
    const address = this.layout.unixAddress(path);
    const fd = this.#newSocket();
    let errno = 0;
    for (let tries = 0; tries < maxTries; tries++) {
      if (this.libc.call.connect(fd, address, address.length) === 0) {
        return this.socketOf(fd);
      }
      ({ errno } = this.libc);
      if (errno !== errnos.EAGAIN) break;
    }
    this.libc.call.close(fd);
    throw new SocketError(`connect to "${path}"`, errno);
  }

  bind(path: string): MessageListener {
    const address = this.layout.unixAddress(path);
    const fd = this.#newSocket();
    const { call } = this.libc;
    // With the mode from the start, nobody finds the socket there and is denied it.
    const umask = Deno.umask(0o111);
    const isBound = call.bind(fd, address, address.length) === 0 &&
      call.listen(fd, 16) === 0;
    const { errno } = this.libc;
    Deno.umask(umask);
    if (isBound) return this.listenerOf(fd);
    call.close(fd);
    throw new SocketError(`listen on "${path}"`, errno);
  }

  abstract adopt(fd: number): MessageListener;

  async waitReadable(
    sockets: Iterable<{ readonly fd: number }>,
    timeoutMs: number,
  ): Promise<void> {
    const list = new PollList([...sockets].map(({ fd }) => fd));
    await this.libc.call.poll(list.bytes, BigInt(list.length), timeoutMs);
  }

  closeDescriptor(fd: number): void {
    this.libc.call.close(fd);
  }

  lock(directory: string): HeldDirectory | undefined {
    const { call } = this.libc;
    const fd = call.open(cString(directory), this.readOnly);
    if (fd < 0) {
      throw new Error(`Cannot open "${directory}": errno ${this.libc.errno}`);
    }
    const close = () => void call.close(fd);
    const isHeld = call.flock(fd, exclusiveNow) === 0;
    const inode = isHeld ? this.inodeOf(fd) : undefined;
    if (inode !== undefined) return { inode, [Symbol.dispose]: close };
    close();
    return undefined;
  }

  [Symbol.dispose](): void {
    this.libc[Symbol.dispose]();
  }

  /** No child of this process shall have the socket that was just opened. */
  protected abstract keepFromChildren(fd: number): void;

  protected abstract socketOf(fd: number): MessageSocket;

  protected abstract listenerOf(fd: number): MessageListener;

  /** `undefined` when the system does not tell. */
  protected abstract inodeOf(fd: number): number | undefined;

  #newSocket(): number {
    const fd = this.libc.call.socket(unixFamily, this.type, 0);
    if (fd < 0) throw new SocketError("open a socket", this.libc.errno);
    this.keepFromChildren(fd);
    return fd;
  }
}

export abstract class UnixListener<L extends SocketLibc>
  implements MessageListener {
  readonly fd: number;
  protected readonly libc: L;

  constructor(libc: L, fd: number) {
    this.libc = libc;
    this.fd = fd;
  }

  abstract accept(): MessageSocket | undefined;

  turnAllAway(): void {
    for (let one; (one = this.accept()) !== undefined;) one[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.libc.call.close(this.fd);
  }
}

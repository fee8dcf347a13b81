import { cString } from "../libc/mod.ts";
import { SocketLibc } from "./_libc_linux.ts";
import { PacketListener, PacketSocket, waitReadable } from "./_socket_linux.ts";
import type {
  HeldDirectory,
  MessageListener,
  MessageSocket,
  Sockets,
} from "./sockets.ts";

const readOnly = 0x80000; // O_RDONLY | O_CLOEXEC
const exclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB

export class LinuxSockets implements Sockets {
  readonly #libc = new SocketLibc();

  connect(path: string): MessageSocket {
    return PacketSocket.connect(this.#libc, path);
  }

  bind(path: string): MessageListener {
    return PacketListener.bind(this.#libc, path);
  }

  adopt(fd: number): MessageListener {
    return PacketListener.adopt(this.#libc, fd);
  }

  waitReadable(
    sockets: Iterable<{ readonly fd: number }>,
    timeoutMs: number,
  ): Promise<void> {
    return waitReadable(this.#libc, sockets, timeoutMs);
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
    if (call.flock(fd, exclusiveNow) < 0) {
      close();
      return undefined;
    }
    const inode = Deno.statSync(`/proc/self/fd/${fd}`).ino!;
    return { inode, [Symbol.dispose]: close };
  }

  [Symbol.dispose](): void {
    this.#libc[Symbol.dispose]();
  }
}

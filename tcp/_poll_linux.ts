/** By epoll(7), with eventfd(2) for who rings. */
import { libcPath } from "../libc/mod.ts";
import { maxEvents, type Poll, waitMs } from "./_poll.ts";
import { SystemError } from "./_udp_libc.ts";

const controls = { add: 1, remove: 2 } as const; // EPOLL_CTL_ADD, EPOLL_CTL_DEL
const readable = 1; // EPOLLIN; of an error the kernel tells unasked
const closeOnExec = 0x80000; // EPOLL_CLOEXEC, EFD_CLOEXEC
const nonBlocking = 0x800; // EFD_NONBLOCK

/** `struct epoll_event` is packed on x86-64 only. */
const dataAt = Deno.build.arch === "x86_64" ? 4 : 8;
const eventBytes = dataAt + 8;

const calls = {
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  epollCreate: { name: "epoll_create1", parameters: ["i32"], result: "i32" },
  epollControl: {
    name: "epoll_ctl",
    parameters: ["i32", "i32", "i32", "buffer"],
    result: "i32",
  },
  // Waits on a thread of its own.
  epollWait: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

const library = Deno.build.os === "linux"
  ? Deno.dlopen(libcPath, calls)
  : undefined;

const ring = new Uint8Array(new BigUint64Array([1n]).buffer);
const rung = new Uint8Array(8);

export class LinuxPoll implements Poll {
  readonly #libc = library!.symbols;
  readonly #fd: number;
  readonly #bell: number;
  /** What the kernel writes into: left alone while the thread waits. */
  readonly #told = new Uint8Array(maxEvents * eventBytes);
  readonly #toldView = new DataView(this.#told.buffer);
  readonly #asked = new Uint8Array(eventBytes);
  readonly #askedView = new DataView(this.#asked.buffer);

  /** Throws {@link SystemError}. */
  constructor() {
    this.#fd = this.#libc.epollCreate(closeOnExec);
    if (this.#fd < 0) throw new SystemError("wait for sockets");
    this.#bell = this.#libc.eventfd(0, closeOnExec | nonBlocking);
    try {
      if (this.#bell < 0) throw new SystemError("wait for sockets");
      this.add(this.#bell);
    } catch (error) {
      if (this.#bell >= 0) this.#libc.close(this.#bell);
      this.#libc.close(this.#fd);
      throw error;
    }
  }

  add(fd: number): void {
    this.#askedView.setUint32(0, readable, true);
    this.#askedView.setUint32(dataAt, fd, true);
    if (this.#control(controls.add, fd) < 0) {
      throw new SystemError("watch a socket");
    }
  }

  remove(fd: number): void {
    this.#control(controls.remove, fd);
  }

  ring(): void {
    this.#libc.write(this.#bell, ring, 8n);
  }

  wait(): Promise<number> {
    return this.#libc.epollWait(this.#fd, this.#told, maxEvents, waitMs);
  }

  named(i: number): number | undefined {
    const fd = this.#toldView.getUint32(i * eventBytes + dataAt, true);
    if (fd !== this.#bell) return fd;
    this.#libc.read(this.#bell, rung, 8n);
    return undefined;
  }

  #control(operation: number, fd: number): number {
    return this.#libc.epollControl(this.#fd, operation, fd, this.#asked);
  }
}

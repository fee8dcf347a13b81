/** The calls of macOS's C library for Unix sockets that carry descriptors, and for the lock. */
import {
  closeOnExec,
  descriptorCalls,
  errnoOf,
  libcPath,
} from "../libc_darwin.ts";

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept: { parameters: ["i32", "usize", "usize"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  getpeereid: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  /** Waits on a thread of its own; its errno is lost. */
  poll: {
    parameters: ["buffer", "u32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  /** Of one that has no time to wait. */
  look: { name: "poll", parameters: ["buffer", "u32", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  fstat: {
    // The one whose inodes have 64 bits; arm64 has no other.
    name: Deno.build.arch === "x86_64" ? "fstat$INODE64" : "fstat",
    parameters: ["i32", "buffer"],
    result: "i32",
  },
  close: { parameters: ["i32"], result: "i32" },
  ...descriptorCalls,
} as const;

/** Numbers of errors that have a meaning here (errno(2)). */
export const errnos = {
  ENOENT: 2,
  EACCES: 13,
  EAGAIN: 35,
  ECONNREFUSED: 61,
} as const;

export class Libc implements Disposable {
  readonly #library = Deno.dlopen(libcPath, calls);

  get call(): Deno.StaticForeignLibraryInterface<typeof calls> {
    return this.#library.symbols;
  }

  /** The error of the call before, if that failed. */
  get errno(): number {
    return errnoOf(this.call);
  }

  /** No child of this process shall have it. */
  closeOnExec(fd: number): void {
    closeOnExec(this.call, fd);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

/** The calls of the C library for Unix sockets that carry descriptors, and for the lock. */
const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "usize", "usize", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  /** Waits on a thread of its own; its errno is lost. */
  poll: {
    parameters: ["buffer", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  errnoLocation: {
    name: "__errno_location",
    parameters: [],
    result: "pointer",
  },
} as const;

/** Numbers of errors that have a meaning here (errno(3)). */
export const errnos = {
  ENOENT: 2,
  EAGAIN: 11,
  EACCES: 13,
  ECONNREFUSED: 111,
} as const;

export class Libc implements Disposable {
  readonly #library = Deno.dlopen("libc.so.6", calls);

  get call(): Deno.StaticForeignLibraryInterface<typeof calls> {
    return this.#library.symbols;
  }

  /** The error of the call before, if that failed. */
  get errno(): number {
    const location = this.#library.symbols.errnoLocation();
    return new Deno.UnsafePointerView(location!).getInt32();
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

/** A text with the zero octet that ends it in C. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

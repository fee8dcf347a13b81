/** The calls of the C library that open a TUN device and speak netlink. */
const calls = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  /** With a pointer as third argument. */
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  /** With a number as third argument. */
  ioctlValue: {
    name: "ioctl",
    parameters: ["i32", "usize", "usize"],
    result: "i32",
  },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  nameToIndex: {
    name: "if_nametoindex",
    parameters: ["buffer"],
    result: "u32",
  },
  indexToName: {
    name: "if_indextoname",
    parameters: ["u32", "buffer"],
    result: "pointer",
  },
  errnoLocation: {
    name: "__errno_location",
    parameters: [],
    result: "pointer",
  },
} as const;

/** Numbers of errors that have a meaning here (errno(3)). */
export const errnos = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  ENXIO: 6,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
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

  /** The name of an interface; `undefined` when there is none. */
  nameOf(index: number): string | undefined {
    const name = new Uint8Array(16);
    if (this.call.indexToName(index, name) === null) return undefined;
    return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

/** A text with the zero octet that ends it in C. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

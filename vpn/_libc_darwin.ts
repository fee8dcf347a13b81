/** The calls of macOS's C library for utun devices and routes. */
import {
  closeOnExec,
  descriptorCalls,
  errnoOf,
  isOpenOnStack,
  libcPath,
  unread,
  unreadTypes,
} from "../libc_darwin.ts";

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  ioctlOnStack: {
    name: "ioctl",
    parameters: ["i32", "usize", ...unreadTypes, "buffer"],
    result: "i32",
  },
  sysctl: {
    parameters: ["buffer", "u32", "buffer", "buffer", "pointer", "usize"],
    result: "i32",
  },
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
  ...descriptorCalls,
} as const;

/** Numbers of errors that have a meaning here (errno(2)). */
export const errnos = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
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

  ioctl(fd: number, request: number, data: Uint8Array<ArrayBuffer>): number {
    const { call } = this;
    return isOpenOnStack
      ? call.ioctlOnStack(fd, BigInt(request), ...unread, data)
      : call.ioctl(fd, BigInt(request), data);
  }

  /** No child of this process shall have it. */
  closeOnExec(fd: number): void {
    closeOnExec(this.call, fd);
  }

  /** What the kernel tells under a name of numbers; `undefined` when it does not. */
  sysctl(name: readonly number[]): Uint8Array<ArrayBuffer> | undefined {
    const path = new Uint8Array(Int32Array.from(name).buffer);
    for (let room = 1 << 16; room <= 1 << 26; room *= 4) {
      const into = new Uint8Array(room);
      const length = new BigUint64Array([BigInt(room)]);
      const result = this.call.sysctl(
        ...[path, name.length, into] as const,
        ...[new Uint8Array(length.buffer), null, 0n] as const,
      );
      if (result === 0) return into.subarray(0, Number(length[0]));
      if (this.errno !== errnos.ENOMEM) return undefined;
    }
    return undefined;
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

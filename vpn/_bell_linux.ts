/** By eventfd(2), which nobody reads. */
import { libcPath } from "../libc/mod.ts";
import type { Bell } from "./bell.ts";

const calls = {
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
} as const;

const flags = 0x80000 | 0x800; // EFD_CLOEXEC | EFD_NONBLOCK
const one = new Uint8Array(new BigUint64Array([1n]).buffer);

export class LinuxBell implements Bell {
  readonly #library = Deno.dlopen(libcPath, calls);
  readonly fd: number;

  /** @param fd Of the other thread's; one is made without. */
  constructor(fd?: number) {
    this.fd = fd ?? this.#library.symbols.eventfd(0, flags);
  }

  ring(): void {
    this.#library.symbols.write(this.fd, one, BigInt(one.length));
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

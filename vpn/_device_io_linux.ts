/**
 * Frames of the TUN device by calls of the C library that allocate nothing.
 *
 * The descriptor does not block; who has read all waits for it and for a wake-up at once (poll(2), eventfd(2)). Closing
 * a descriptor does not end a read that blocks, and a worker inside a call hears no message.
 */
import { libcPath } from "../libc/mod.ts";
import type { Awaited, DeviceIo } from "./device_io.ts";

const calls = {
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
} as const;

const setFlags = 4; // F_SETFL
const nonBlocking = 0x800; // O_NONBLOCK
const closeOnExec = 0x80000; // EFD_CLOEXEC
const readable = 1; // POLLIN
const broken = 8 | 16 | 32; // POLLERR | POLLHUP | POLLNVAL

export class LinuxDeviceIo implements DeviceIo {
  readonly fd: number;
  readonly wakeFd: number;
  readonly #library = Deno.dlopen(libcPath, calls);
  readonly #polled = new Uint8Array(16); // two struct pollfd: fd, events, returned events
  readonly #view = new DataView(this.#polled.buffer);

  /**
   * @param wakeFd Of the other thread's; one is made without.
   * @throws {Error} when the kernel has no descriptor left.
   */
  constructor(fd: number, wakeFd?: number) {
    const { eventfd, fcntl } = this.#library.symbols;
    this.fd = fd;
    this.wakeFd = wakeFd ?? eventfd(0, closeOnExec | nonBlocking);
    if (this.wakeFd < 0 || fcntl(fd, setFlags, nonBlocking) < 0) {
      if (this.wakeFd >= 0) this.#library.symbols.close(this.wakeFd);
      this.#library.close();
      throw new Error(`Cannot use the device of descriptor "${fd}"`);
    }
    [fd, this.wakeFd].forEach((polled, i) => {
      this.#view.setInt32(8 * i, polled, true);
      this.#view.setInt16(8 * i + 4, readable, true);
    });
  }

  read(buffer: Uint8Array<ArrayBuffer>): number {
    return this.#library.symbols.read(this.fd, buffer, buffer.length);
  }

  write(frame: Uint8Array<ArrayBuffer>, length: number): boolean {
    return this.#library.symbols.write(this.fd, frame, length) === length;
  }

  wait(): Awaited {
    for (;;) {
      if (this.#library.symbols.poll(this.#polled, 2, -1) < 0) continue; // a signal
      if (this.#view.getInt16(14, true) !== 0) return "woken";
      const events = this.#view.getInt16(6, true);
      if (events & broken) return "gone";
      if (events & readable) return "readable";
    }
  }

  wake(): void {
    const one = new Uint8Array(8);
    one[0] = 1;
    this.#library.symbols.write(this.wakeFd, one, one.length);
  }

  closeDescriptors(): void {
    this.#library.symbols.close(this.fd);
    this.#library.symbols.close(this.wakeFd);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

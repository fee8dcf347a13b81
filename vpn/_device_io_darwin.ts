/**
 * Frames of a utun device, which is a socket, by calls of the C library that allocate nothing. Neither call waits; who has
 * read all waits for it and for a wake-up at once (poll(2)).
 */
import { libcPath } from "../libc/mod.ts";
import { bellCalls, openBell, ringBell } from "./_kqueue_darwin.ts";
import { fromUtun, toUtun, utunStart } from "./_utun_frame.ts";
import type { Awaited, DeviceIo } from "./device_io.ts";

const calls = {
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  ...bellCalls,
} as const;

const doNotWait = 0x80; // MSG_DONTWAIT
const readable = 1; // POLLIN
const broken = 8 | 16 | 32; // POLLERR | POLLHUP | POLLNVAL

export class DarwinDeviceIo implements DeviceIo {
  readonly fd: number;
  readonly wakeFd: number;
  readonly #library = Deno.dlopen(libcPath, calls);
  readonly #polled = new Uint8Array(16); // two struct pollfd: fd, events, returned events
  readonly #view = new DataView(this.#polled.buffer);
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #into = new Uint8Array();

  /**
   * @param wakeFd Of the other thread's; one is made without.
   * @throws {Error} when the kernel has no descriptor left.
   */
  constructor(fd: number, wakeFd?: number) {
    this.fd = fd;
    this.wakeFd = wakeFd ?? openBell(this.#library.symbols);
    if (this.wakeFd < 0) {
      this.#library.close();
      throw new Error(`Cannot use the device of descriptor "${fd}"`);
    }
    [fd, this.wakeFd].forEach((polled, i) => {
      this.#view.setInt32(8 * i, polled, true);
      this.#view.setInt16(8 * i + 4, readable, true);
    });
  }

  read(buffer: Uint8Array<ArrayBuffer>): number {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#into = buffer.subarray(utunStart);
    }
    const into = this.#into;
    const { recv } = this.#library.symbols;
    return fromUtun(buffer, recv(this.fd, into, into.length, doNotWait));
  }

  write(frame: Uint8Array<ArrayBuffer>, length: number): boolean {
    toUtun(frame, length);
    const bytes = frame.subarray(utunStart, length);
    const { send } = this.#library.symbols;
    return send(this.fd, bytes, bytes.length, doNotWait) === bytes.length;
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
    ringBell(this.wakeFd, this.#library.symbols);
  }

  closeDescriptors(): void {
    this.#library.symbols.close(this.fd);
    this.#library.symbols.close(this.wakeFd);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

/** Of a TUN device, by a descriptor that is set not to block. */
import { libcPath } from "../libc/mod.ts";
import type { DeviceFrames } from "./device_frames.ts";

const calls = {
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
} as const;

const setFlags = 4; // F_SETFL
const nonBlocking = 0x800; // O_NONBLOCK

export class LinuxDeviceFrames implements DeviceFrames {
  readonly #fd: number;
  readonly #library = Deno.dlopen(libcPath, calls);

  /** @throws {Error} when the descriptor is none. */
  constructor(fd: number) {
    this.#fd = fd;
    if (this.#library.symbols.fcntl(fd, setFlags, nonBlocking) < 0) {
      this.#library.close();
      throw new Error(`Cannot use the device of descriptor "${fd}"`);
    }
  }

  read(buffer: Uint8Array<ArrayBuffer>): number {
    return this.#library.symbols.read(this.#fd, buffer, buffer.length);
  }

  write(frame: Uint8Array<ArrayBuffer>, length: number): boolean {
    return this.#library.symbols.write(this.#fd, frame, length) === length;
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

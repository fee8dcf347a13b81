/** Of a utun device, which is a socket. */
import { doNotWait, libcPath } from "../libc/mod.ts";
import { fromUtun, toUtun, utunStart } from "./_utun_frame.ts";
import type { DeviceFrames } from "./device_frames.ts";

const calls = {
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
} as const;

export class DarwinDeviceFrames implements DeviceFrames {
  readonly #fd: number;
  readonly #library = Deno.dlopen(libcPath, calls);
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #into = new Uint8Array();

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(buffer: Uint8Array<ArrayBuffer>): number {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#into = buffer.subarray(utunStart);
    }
    const into = this.#into;
    const { recv } = this.#library.symbols;
    return fromUtun(buffer, recv(this.#fd, into, into.length, doNotWait));
  }

  write(frame: Uint8Array<ArrayBuffer>, length: number): boolean {
    toUtun(frame, length);
    const bytes = frame.subarray(utunStart, length);
    const { send } = this.#library.symbols;
    return send(this.#fd, bytes, bytes.length, doNotWait) === bytes.length;
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

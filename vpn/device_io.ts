/**
 * Frames of the TUN device, as one thread reads and writes them, by calls of the C library that allocate nothing.
 *
 * Neither reading nor writing waits; who has read all waits for the device and for a wake-up at once (poll(2)). Closing a
 * descriptor does not end a read that blocks, and a worker inside a call hears no message.
 */
import { libcPath, PollList } from "../libc/mod.ts";
import type { Bell } from "./bell.ts";
import type { DeviceFrames } from "./device_frames.ts";

const calls = {
  close: { parameters: ["i32"], result: "i32" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
} as const;

/** Why {@link DeviceIo.wait} came back. */
export type Awaited = "readable" | "woken" | "gone";

/** What one thread needs to read and write the device. The descriptors are the same in every thread. */
export class DeviceIo implements DeviceFrames {
  readonly fd: number;
  /** For the {@link DeviceIo} of another thread. */
  readonly wakeFd: number;
  readonly #frames: DeviceFrames;
  readonly #bell: Bell;
  readonly #library = Deno.dlopen(libcPath, calls);
  readonly #polled: PollList;

  /**
   * Takes `frames`, which are those of `fd`, and `bell` over.
   *
   * @throws {Error} when the kernel had no descriptor left.
   */
  constructor(
    fd: number,
    { frames, bell }: { frames: DeviceFrames; bell: Bell },
  ) {
    this.fd = fd;
    this.wakeFd = bell.fd;
    this.#frames = frames;
    this.#bell = bell;
    this.#polled = new PollList([fd, bell.fd]);
    if (bell.fd < 0) {
      this[Symbol.dispose]();
      throw new Error(`Cannot use the device of descriptor "${fd}"`);
    }
  }

  read(buffer: Uint8Array<ArrayBuffer>): number {
    return this.#frames.read(buffer);
  }

  write(frame: Uint8Array<ArrayBuffer>, length: number): boolean {
    return this.#frames.write(frame, length);
  }

  /** Blocks until there is something to read, or somebody called {@link wake}, or the device has gone. */
  wait(): Awaited {
    const { bytes } = this.#polled;
    for (;;) {
      if (this.#library.symbols.poll(bytes, 2n, -1) < 0) continue; // a signal
      if (this.#polled.told(1)) return "woken";
      const told = this.#polled.told(0);
      if (told) return told;
    }
  }

  /** Ends every {@link wait}, also those to come. */
  wake(): void {
    this.#bell.ring();
  }

  /** Closes both descriptors, for all threads. */
  closeDescriptors(): void {
    this.#library.symbols.close(this.fd);
    this.#library.symbols.close(this.wakeFd);
  }

  /** Lets go of the library; the descriptors stay open. */
  [Symbol.dispose](): void {
    this.#frames[Symbol.dispose]();
    this.#bell[Symbol.dispose]();
    this.#library.close();
  }
}

import { doNotWait, libcPath, PollList } from "../libc/mod.ts";
import type { Bell } from "./bell.ts";

const calls = {
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  /** Blocks a thread of the runtime's, not the caller's. */
  poll: {
    parameters: ["buffer", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

/** A burst is over soon; that the kernel dropped a part of it is no loss. */
const bufferBytes = 1 << 16;

/**
 * The kernel's word that the host's network has changed: links, addresses, routes.
 *
 * What a message says is not read: whoever waits looks for himself at what he needs.
 */
export class HostChanges implements AsyncDisposable {
  readonly #library = Deno.dlopen(libcPath, calls);
  readonly #socket: number;
  readonly #bell: Bell;
  readonly #polled: PollList;
  readonly #buffer = new Uint8Array(bufferBytes);
  #isDisposed = false;
  #waiting: Promise<unknown> = Promise.resolve();

  /**
   * Takes over `socket`, on which the kernel tells what has changed, and `bell`. Either has a negative descriptor when it
   * could not be had.
   *
   * @throws {Error} then.
   */
  constructor({ socket, bell }: { socket: number; bell: Bell }) {
    this.#socket = socket;
    this.#bell = bell;
    this.#polled = new PollList([socket, bell.fd]);
    if (socket < 0 || bell.fd < 0) {
      this.#close();
      throw new Error("Cannot listen for changes of the host's network");
    }
  }

  /** Resolves to true when something has changed since the call before; to false when this was disposed of. One at a time. */
  async next(): Promise<boolean> {
    const { poll, recv } = this.#library.symbols;
    if (this.#isDisposed) return false;
    this.#waiting = poll(this.#polled.bytes, 2n, -1);
    await this.#waiting;
    if (this.#isDisposed) return false;
    const size = BigInt(this.#buffer.length);
    while (recv(this.#socket, this.#buffer, size, doNotWait) > 0n);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#bell.ring();
    await this.#waiting;
    this.#close();
  }

  #close(): void {
    for (const fd of [this.#socket, this.#bell.fd]) {
      if (fd >= 0) this.#library.symbols.close(fd);
    }
    this.#bell[Symbol.dispose]();
    this.#library.close();
  }
}

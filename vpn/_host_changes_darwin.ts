/**
 * Changes of macOS's network by its routing socket (route(4)), to which every user may listen.
 *
 * What a message says is not read: whoever waits looks for himself at what he needs.
 */
import { libcPath } from "../libc/mod.ts";
import { bellCalls, openBell, ringBell } from "./_kqueue_darwin.ts";
import type { HostChanges } from "./host_changes.ts";

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  /** Blocks a thread of the runtime's, not the caller's. */
  poll: {
    parameters: ["buffer", "u32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  ...bellCalls,
} as const;

const routeFamily = 17; // PF_ROUTE
const raw = 3; // SOCK_RAW
const doNotWait = 0x80; // MSG_DONTWAIT
const readable = 1; // POLLIN
/** A burst is over soon; that the kernel dropped a part of it is no loss. */
const bufferBytes = 1 << 16;

export class DarwinHostChanges implements HostChanges {
  readonly #library = Deno.dlopen(libcPath, calls);
  readonly #socket: number;
  readonly #bell: number;
  readonly #polled = new Uint8Array(16); // two struct pollfd: fd, events, returned events
  readonly #buffer = new Uint8Array(bufferBytes);
  #isDisposed = false;
  #waiting: Promise<unknown> = Promise.resolve();

  /** @throws {Error} when the kernel lets nobody listen here, as some sandboxes do. */
  constructor() {
    const { symbols } = this.#library;
    this.#socket = symbols.socket(routeFamily, raw, 0);
    this.#bell = openBell(symbols);
    if (this.#socket < 0 || this.#bell < 0) {
      this.#close();
      throw new Error("Cannot listen for changes of the host's network");
    }
    const view = new DataView(this.#polled.buffer);
    [this.#socket, this.#bell].forEach((fd, i) => {
      view.setInt32(8 * i, fd, true);
      view.setInt16(8 * i + 4, readable, true);
    });
  }

  async next(): Promise<boolean> {
    const { poll, recv } = this.#library.symbols;
    if (this.#isDisposed) return false;
    this.#waiting = poll(this.#polled, 2, -1);
    await this.#waiting;
    if (this.#isDisposed) return false;
    const size = BigInt(this.#buffer.length);
    while (recv(this.#socket, this.#buffer, size, doNotWait) > 0n);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    ringBell(this.#bell, this.#library.symbols);
    await this.#waiting;
    this.#close();
  }

  #close(): void {
    for (const fd of [this.#socket, this.#bell]) {
      if (fd >= 0) this.#library.symbols.close(fd);
    }
    this.#library.close();
  }
}

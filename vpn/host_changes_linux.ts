/**
 * The kernel's word that the host's network has changed: links, addresses, routes, rules (rtnetlink(7)). Every user may listen.
 *
 * What a message says is not read: whoever waits looks for himself at what he needs.
 */
import { libcPath } from "../libc/mod.ts";
import type { HostChanges } from "./host_changes.ts";

const calls = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  /** Blocks a thread of the runtime's, not the caller's. */
  poll: {
    parameters: ["buffer", "u32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

const netlinkFamily = 16; // AF_NETLINK
const raw = 3 | 0x80000 | 0x800; // SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK
const eventFlags = 0x80000 | 0x800; // EFD_CLOEXEC | EFD_NONBLOCK
/** RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV4_RULE, IPV6_IFADDR, IPV6_ROUTE */
const groups = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400;
const readable = 1; // POLLIN
/** A burst is over soon; that the kernel dropped a part of it is no loss. */
const bufferBytes = 1 << 16;

export class LinuxHostChanges implements HostChanges {
  readonly #library = Deno.dlopen(libcPath, calls);
  readonly #socket: number;
  readonly #wake: number;
  readonly #polled = new Uint8Array(16); // two struct pollfd: fd, events, returned events
  readonly #view = new DataView(this.#polled.buffer);
  readonly #buffer = new Uint8Array(bufferBytes);
  #isDisposed = false;
  #waiting: Promise<unknown> = Promise.resolve();

  /** @throws {Error} when the kernel lets nobody listen here, as some sandboxes do. */
  constructor() {
    const { socket, bind, eventfd } = this.#library.symbols;
    this.#socket = socket(netlinkFamily, raw, 0);
    this.#wake = eventfd(0, eventFlags);
    const address = new Uint8Array(12); // struct sockaddr_nl: family, pad, process, groups
    const view = new DataView(address.buffer);
    view.setUint16(0, netlinkFamily, true);
    view.setUint32(8, groups, true);
    if (
      this.#socket < 0 || this.#wake < 0 ||
      bind(this.#socket, address, address.length) < 0
    ) {
      this.#close();
      throw new Error("Cannot listen for changes of the host's network");
    }
    [this.#socket, this.#wake].forEach((fd, i) => {
      this.#view.setInt32(8 * i, fd, true);
      this.#view.setInt16(8 * i + 4, readable, true);
    });
  }

  async next(): Promise<boolean> {
    const { poll, recv } = this.#library.symbols;
    if (this.#isDisposed) return false;
    this.#waiting = poll(this.#polled, 2, -1);
    await this.#waiting;
    if (this.#isDisposed) return false;
    const size = BigInt(this.#buffer.length);
    while (recv(this.#socket, this.#buffer, size, 0) > 0n);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const one = new Uint8Array(8);
    one[0] = 1;
    this.#library.symbols.write(this.#wake, one, BigInt(one.length));
    await this.#waiting;
    this.#close();
  }

  #close(): void {
    for (const fd of [this.#socket, this.#wake]) {
      if (fd >= 0) this.#library.symbols.close(fd);
    }
    this.#library.close();
  }
}

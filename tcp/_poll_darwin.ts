/** By kqueue(2), whose own events (EVFILT_USER) tell who rings. */
import {
  bell,
  decodeEvent,
  eventBytes,
  eventFilters,
  eventFlags,
  type KernelEvent,
  kqueueCalls,
  libcPath,
  tellKqueue,
  trigger,
} from "../libc/mod.ts";
import { maxEvents, type Poll, waitMs } from "./_poll.ts";
import { SystemError } from "./_udp_libc.ts";

const calls = {
  ...kqueueCalls,
  // Waits on a thread of its own.
  keventWait: {
    name: "kevent",
    parameters: ["i32", "pointer", "i32", "buffer", "i32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
} as const;

const library = Deno.build.os === "darwin"
  ? Deno.dlopen(libcPath, calls)
  : undefined;

export class DarwinPoll implements Poll {
  readonly #libc = library!.symbols;
  readonly #fd: number;
  /** What the kernel writes into: left alone while the thread waits. */
  readonly #told = new Uint8Array(maxEvents * eventBytes);
  readonly #toldView = new DataView(this.#told.buffer);
  readonly #time = new Uint8Array(
    BigInt64Array.of(0n, BigInt(waitMs) * 1_000_000n).buffer, // struct timespec
  );

  /** Throws {@link SystemError}. A kqueue is no child's. */
  constructor() {
    this.#fd = this.#libc.kqueue();
    const isMade = this.#fd >= 0 &&
      this.#change({ ...bell, flags: eventFlags.add | eventFlags.clear });
    if (!isMade) throw new SystemError("wait for sockets");
  }

  add(fd: number): void {
    const filter = eventFilters.read;
    if (!this.#change({ id: fd, filter, flags: eventFlags.add })) {
      throw new SystemError("watch a socket");
    }
  }

  remove(fd: number): void {
    const filter = eventFilters.read;
    this.#change({ id: fd, filter, flags: eventFlags.delete });
  }

  ring(): void {
    this.#change({ ...bell, notes: trigger });
  }

  wait(): Promise<number> {
    return this.#libc.keventWait(
      ...[this.#fd, null, 0] as const,
      ...[this.#told, maxEvents, this.#time] as const,
    );
  }

  named(i: number): number | undefined {
    const { id, filter } = decodeEvent(this.#toldView, i);
    return filter === eventFilters.user ? undefined : id;
  }

  #change(event: KernelEvent): boolean {
    return tellKqueue(this.#fd, event, this.#libc);
  }
}

/** By an event of the user's own (kqueue(2), EVFILT_USER), which nobody takes. */
import {
  bell,
  eventFlags,
  kqueueCalls,
  libcPath,
  tellKqueue,
  trigger,
} from "../libc/mod.ts";
import type { Bell } from "./bell.ts";

export class DarwinBell implements Bell {
  readonly #library = Deno.dlopen(libcPath, kqueueCalls);
  readonly fd: number;

  /** @param fd Of the other thread's; one is made without. */
  constructor(fd?: number) {
    this.fd = fd ?? this.#make();
  }

  ring(): void {
    tellKqueue(this.fd, { ...bell, notes: trigger }, this.#library.symbols);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }

  #make(): number {
    const { symbols } = this.#library;
    const fd = symbols.kqueue();
    if (fd >= 0) tellKqueue(fd, { ...bell, flags: eventFlags.add }, symbols);
    return fd;
  }
}

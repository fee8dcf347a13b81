/** A descriptor that poll(2) finds readable from the moment that somebody rings it (kqueue(2), EVFILT_USER). */
import {
  encodeEvent,
  eventFilters,
  eventFlags,
  trigger,
} from "../libc_darwin.ts";

const calls = {
  kqueue: { parameters: [], result: "i32" },
  kevent: {
    parameters: ["i32", "buffer", "i32", "pointer", "i32", "pointer"],
    result: "i32",
  },
} as const;

/** What is needed of the library where the bell is. */
export const bellCalls = calls;

const bell = { id: 0, filter: eventFilters.user };

type Symbols = Deno.StaticForeignLibraryInterface<typeof calls>;

/** Its descriptor; negative when there is none left. */
export function openBell({ kqueue, kevent }: Symbols): number {
  const fd = kqueue();
  if (fd >= 0) {
    kevent(
      fd,
      encodeEvent({ ...bell, flags: eventFlags.add }),
      1,
      null,
      0,
      null,
    );
  }
  return fd;
}

/** It stays readable. */
export function ringBell(fd: number, { kevent }: Symbols): void {
  kevent(fd, encodeEvent({ ...bell, notes: trigger }), 1, null, 0, null);
}

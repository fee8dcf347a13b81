/** A descriptor that poll(2) finds readable from the moment that somebody rings it (kqueue(2), EVFILT_USER). */
import {
  bell,
  eventFlags,
  kqueueCalls,
  tellKqueue,
  trigger,
} from "../libc/mod.ts";

/** What is needed of the library where the bell is. */
export const bellCalls = kqueueCalls;

type Symbols = Deno.StaticForeignLibraryInterface<typeof bellCalls>;

/** Its descriptor; negative when there is none left. */
export function openBell(symbols: Symbols): number {
  const fd = symbols.kqueue();
  if (fd >= 0) tellKqueue(fd, { ...bell, flags: eventFlags.add }, symbols);
  return fd;
}

/** It stays readable. */
export function ringBell(fd: number, symbols: Symbols): void {
  tellKqueue(fd, { ...bell, notes: trigger }, symbols);
}

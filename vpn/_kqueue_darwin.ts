/** A descriptor that poll(2) finds readable from the moment that somebody rings it (kqueue(2), EVFILT_USER). */
const calls = {
  kqueue: { parameters: [], result: "i32" },
  kevent: {
    parameters: ["i32", "buffer", "i32", "pointer", "i32", "pointer"],
    result: "i32",
  },
} as const;

/** What is needed of the library where the bell is. */
export const bellCalls = calls;

type Symbols = Deno.StaticForeignLibraryInterface<typeof calls>;

const userFilter = -10; // EVFILT_USER
const add = 1; // EV_ADD
const trigger = 0x01000000; // NOTE_TRIGGER

/** Its descriptor; negative when there is none left. */
export function openBell({ kqueue, kevent }: Symbols): number {
  const fd = kqueue();
  if (fd >= 0) kevent(fd, encodeEvent({ flags: add }), 1, null, 0, null);
  return fd;
}

/** It stays readable. */
export function ringBell(fd: number, { kevent }: Symbols): void {
  kevent(fd, encodeEvent({ notes: trigger }), 1, null, 0, null);
}

/** struct kevent: identifier, filter, flags, notes of the filter, data, what the caller knows it by. */
export function encodeEvent(
  { id = 0, filter = userFilter, flags = 0, notes = 0 }: {
    id?: number;
    filter?: number;
    flags?: number;
    notes?: number;
  },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(id), true);
  view.setInt16(8, filter, true);
  view.setUint16(10, flags, true);
  view.setUint32(12, notes, true);
  return bytes;
}

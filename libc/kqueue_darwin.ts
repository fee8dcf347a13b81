/** What is told to a kqueue(2) of macOS, and by it. */

export const kqueueCalls = {
  kqueue: { parameters: [], result: "i32" },
  kevent: {
    parameters: ["i32", "buffer", "i32", "pointer", "i32", "pointer"],
    result: "i32",
  },
} as const;

export interface KernelEvent {
  /** A descriptor, or what the caller likes. */
  readonly id: number;
  readonly filter: number;
  readonly flags?: number;
  readonly notes?: number;
}

export const eventBytes = 32; // struct kevent
export const eventFilters = { read: -1, user: -10 } as const; // EVFILT_READ, EVFILT_USER
export const eventFlags = { add: 1, delete: 2, clear: 0x20 } as const; // EV_ADD, EV_DELETE, EV_CLEAR
/** Makes an event of the user's own happen (NOTE_TRIGGER). */
export const trigger = 0x01000000;

/** An event of the user's own, which happens when somebody rings. */
export const bell = { id: 0, filter: eventFilters.user } as const;

/** Whether the kernel took it. */
export function tellKqueue(
  fd: number,
  event: KernelEvent,
  { kevent }: Deno.StaticForeignLibraryInterface<typeof kqueueCalls>,
): boolean {
  return kevent(fd, encodeEvent(event), 1, null, 0, null) === 0;
}

/** struct kevent: identifier, filter, flags, notes of the filter, data, what the caller knows it by. */
export function encodeEvent(
  { id, filter, flags = 0, notes = 0 }: KernelEvent,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(eventBytes);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(id), true);
  view.setInt16(8, filter, true);
  view.setUint16(10, flags, true);
  view.setUint32(12, notes, true);
  return bytes;
}

/** The `i`-th of an array of struct kevent. */
export function decodeEvent(view: DataView, i: number): KernelEvent {
  const at = i * eventBytes;
  return {
    id: Number(view.getBigUint64(at, true)),
    filter: view.getInt16(at + 8, true),
    flags: view.getUint16(at + 10, true),
    notes: view.getUint32(at + 12, true),
  };
}

/**
 * What every use of macOS's C library by FFI needs.
 *
 * On Apple's arm64 the arguments that a declaration leaves open (`...`) are on the stack, where all others are in eight
 * registers: such a call is told with registers that nobody reads in between.
 */

/** No file is there: the system keeps it in memory. */
export const libcPath = "/usr/lib/libSystem.B.dylib";

export const isOpenOnStack = Deno.build.arch === "aarch64";

/** Fill the registers behind the two arguments that `fcntl` and `ioctl` declare. */
export const unreadTypes = [
  ...["usize", "usize", "usize"] as const,
  ...["usize", "usize", "usize"] as const,
] as const;
export const unread = [0n, 0n, 0n, 0n, 0n, 0n] as const;

/** For {@link closeOnExec}, and the error of the call before. */
export const descriptorCalls = {
  fcntl: { parameters: ["i32", "i32", "usize"], result: "i32" },
  fcntlOnStack: {
    name: "fcntl",
    parameters: ["i32", "i32", ...unreadTypes, "usize"],
    result: "i32",
  },
  errnoLocation: { name: "__error", parameters: [], result: "pointer" },
} as const;

type DescriptorCalls = Deno.StaticForeignLibraryInterface<
  typeof descriptorCalls
>;

const setDescriptorFlags = 2; // F_SETFD
const closing = 1n; // FD_CLOEXEC

/** No child of this process shall have the descriptor. */
export function closeOnExec(symbols: DescriptorCalls, fd: number): void {
  if (isOpenOnStack) {
    symbols.fcntlOnStack(fd, setDescriptorFlags, ...unread, closing);
  } else symbols.fcntl(fd, setDescriptorFlags, closing);
}

/** The error of the call before, if that failed. */
export function errnoOf({ errnoLocation }: DescriptorCalls): number {
  return new Deno.UnsafePointerView(errnoLocation()!).getInt32();
}

/** What is told to a kqueue(2), and by it. */
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

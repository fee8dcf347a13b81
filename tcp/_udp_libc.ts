/** The calls of the C library that sockets of datagrams need, with what differs between systems. */
import { closeOnExec, descriptorCalls } from "../libc_darwin.ts";
import { libcPath } from "./_abi.ts";

const isDarwin = Deno.build.os === "darwin";

export const { symbols: libc } = Deno.dlopen(libcPath, {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  errnoLocation: {
    name: isDarwin ? "__error" : "__errno_location",
    parameters: [],
    result: "pointer",
  },
});

const darwin = isDarwin ? Deno.dlopen(libcPath, descriptorCalls) : undefined;

const datagrams = 2; // SOCK_DGRAM
const linuxFlags = 0x80000 | 0x800; // SOCK_CLOEXEC | SOCK_NONBLOCK

/** A flag for every call that could wait; on Linux the socket itself does not. */
export const doNotWait = isDarwin ? 0x80 : 0; // MSG_DONTWAIT

/** A socket that does not wait, and that no child of this process has. Throws {@link SystemError}. */
export function openDatagramSocket(family: number): number {
  const type = isDarwin ? datagrams : datagrams | linuxFlags;
  const fd = libc.socket(family, type, 0);
  if (fd < 0) throw new SystemError("open a socket");
  if (darwin) closeOnExec(darwin.symbols, fd);
  return fd;
}

/** Errors that have a meaning here (errno(3)), by their numbers on Linux and on macOS. */
const names: readonly [string, number, number][] = [
  ["EPERM", 1, 1],
  ["EAGAIN", 11, 35],
  ["ENOMEM", 12, 12],
  ["EACCES", 13, 13],
  ["ENFILE", 23, 23],
  ["EMFILE", 24, 24],
  ["EMSGSIZE", 90, 40],
  ["EAFNOSUPPORT", 97, 47],
  ["EADDRNOTAVAIL", 99, 49],
  ["ENETDOWN", 100, 50],
  ["ENETUNREACH", 101, 51],
  ["ENOBUFS", 105, 55],
  ["ECONNREFUSED", 111, 61],
  ["EHOSTDOWN", 112, 64],
  ["EHOSTUNREACH", 113, 65],
];
const nameOf = new Map(
  names.map(([name, linux, darwin]) => [isDarwin ? darwin : linux, name]),
);

/** What the C library says of the call before, which failed. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** As the C library names it. */
  readonly code: string;

  /** @param action What was tried, as in "open a socket". */
  constructor(action: string) {
    const code = errorCode();
    super(`Cannot ${action}: ${code}`);
    this.code = code;
  }
}

/** The name of the error of the call before, which failed. */
export function errorCode(): string {
  const location = libc.errnoLocation();
  const number = new Deno.UnsafePointerView(location!).getInt32();
  return nameOf.get(number) ?? `errno ${number}`;
}

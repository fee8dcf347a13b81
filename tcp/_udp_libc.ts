/** The calls of the C library that sockets of datagrams need, with what differs between systems. */
import {
  closeOnExec,
  descriptorCalls,
  errorName,
  Libc,
  libcPath,
} from "../libc/mod.ts";

const isDarwin = Deno.build.os === "darwin";

const library = new Libc({
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recvfrom: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer"],
    result: "isize",
  },
  close: { parameters: ["i32"], result: "i32" },
});

export const libc = library.call;

const darwin = isDarwin ? Deno.dlopen(libcPath, descriptorCalls) : undefined;

const datagrams = 2; // SOCK_DGRAM
const closedOnExec = 0x80000; // SOCK_CLOEXEC

/** A socket that no child of this process has. Throws {@link SystemError}. */
export function openDatagramSocket(family: number): number {
  const type = isDarwin ? datagrams : datagrams | closedOnExec;
  const fd = libc.socket(family, type, 0);
  if (fd < 0) throw new SystemError("open a socket");
  if (darwin) closeOnExec(darwin.symbols, fd);
  return fd;
}

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
  const { errno } = library;
  return errorName(errno) ?? `errno ${errno}`;
}

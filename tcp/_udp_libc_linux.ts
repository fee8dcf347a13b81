/** The calls of the C library that sockets of datagrams need. Numbers are those of its headers, equal on x86-64 and arm64. */
export const { symbols: libc } = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  epollCreate: { name: "epoll_create1", parameters: ["i32"], result: "i32" },
  epollControl: {
    name: "epoll_ctl",
    parameters: ["i32", "i32", "i32", "buffer"],
    result: "i32",
  },
  // Waits on a thread of its own.
  epollWait: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  errnoLocation: {
    name: "__errno_location",
    parameters: [],
    result: "pointer",
  },
});

export const closeOnExec = 0x80000; // SOCK_CLOEXEC, EPOLL_CLOEXEC, EFD_CLOEXEC
export const nonBlocking = 0x800; // SOCK_NONBLOCK, EFD_NONBLOCK

/** Errors that have a meaning here (errno(3)). */
const names: Readonly<Record<number, string>> = {
  1: "EPERM",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  23: "ENFILE",
  24: "EMFILE",
  90: "EMSGSIZE",
  97: "EAFNOSUPPORT",
  99: "EADDRNOTAVAIL",
  100: "ENETDOWN",
  101: "ENETUNREACH",
  105: "ENOBUFS",
  111: "ECONNREFUSED",
  112: "EHOSTDOWN",
  113: "EHOSTUNREACH",
};

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
  return names[number] ?? `errno ${number}`;
}

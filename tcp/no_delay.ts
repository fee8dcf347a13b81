/**
 * TCP_NODELAY for a connection with TLS that was accepted, on which `Deno.TlsConn` offers no way to set it: without it a
 * small write waits for the acknowledgement of the one before, up to 40 ms.
 */
import { libcPath } from "../libc/mod.ts";
import { findDescriptor, type TcpAddresses } from "./descriptor.ts";

// Values of <netinet/in.h> and <netinet/tcp.h>, equal on all systems.
const ipProtoTcp = 6;
const tcpNoDelay = 1;

const { symbols } = Deno.dlopen(libcPath, {
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
});

/** Sends small writes at once from here on. Returns false where that was not done: all works then, but slower. */
export function setNoDelay(conn: TcpAddresses): boolean {
  const fd = findDescriptor(conn);
  if (fd === undefined) return false;
  const on = new Uint32Array([1]);
  return symbols.setsockopt(fd, ipProtoTcp, tcpNoDelay, on, 4) === 0;
}

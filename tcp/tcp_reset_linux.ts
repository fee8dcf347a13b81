/**
 * Breaks a TCP connection off with a reset, which `Deno.Conn` does not do: its socket is connected to nothing, and that
 * resets it (connect(2), AF_UNSPEC). `SO_LINGER` would not do: `Deno.Conn.close()` shuts the connection down in order
 * before it closes.
 */
import { findDescriptor, type TcpAddresses } from "./descriptor_linux.ts";

const afUnspec = 0;
const sockaddrOctets = 28;

const { symbols } = Deno.dlopen("libc.so.6", {
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
});

/**
 * Resets `conn`, which stays to be closed.
 *
 * @returns false when its descriptor was not found, and nothing was done.
 */
export function resetTcp(conn: TcpAddresses): boolean {
  const fd = findDescriptor(conn);
  if (fd === undefined) return false;
  const nothing = new Uint8Array(sockaddrOctets);
  nothing[0] = afUnspec;
  return symbols.connect(fd, nothing, nothing.length) === 0;
}

/**
 * Breaks a TCP connection off with a reset, which `Deno.Conn` does not do. `SO_LINGER` alone would not do:
 * `Deno.Conn.close()` shuts the connection down in order before it closes.
 */
import { resetDarwin } from "./_reset_darwin.ts";
import { resetLinux } from "./_reset_linux.ts";
import { findDescriptor, type TcpAddresses } from "./descriptor.ts";

/**
 * Resets `conn`, which stays to be closed.
 *
 * @returns false when its descriptor was not found, and nothing was done.
 */
export function resetTcp(conn: TcpAddresses): boolean {
  const fd = findDescriptor(conn);
  if (fd === undefined) return false;
  return Deno.build.os === "darwin" ? resetDarwin(fd) : resetLinux(fd);
}

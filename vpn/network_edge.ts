/** The privileged edge of this room, for the daemon: `device.ts` tells what it does. */
import { openDarwinNetwork } from "./_device_darwin.ts";
import type { NetworkEdge } from "./device.ts";
import { openLinuxNetwork } from "./device_linux.ts";

/** The host's network through the kernel. Needs root, on Linux CAP_NET_ADMIN. */
export function openNetworkEdge(): NetworkEdge {
  return Deno.build.os === "darwin" ? openDarwinNetwork() : openLinuxNetwork();
}

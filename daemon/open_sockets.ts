import { DarwinSockets } from "./_sockets_darwin.ts";
import { LinuxSockets } from "./_sockets_linux.ts";
import type { Sockets } from "./sockets.ts";

/** Those of this system: which they are is decided here. */
export function openSockets(): Sockets {
  return Deno.build.os === "darwin" ? new DarwinSockets() : new LinuxSockets();
}

/**
 * The operating system's own parts of this room: which of them serve here is decided in this file and, for the daemon, in
 * `network_edge.ts`.
 */
import { DarwinBell } from "./_bell_darwin.ts";
import { LinuxBell } from "./_bell_linux.ts";
import { openDarwinChanges } from "./_changes_socket_darwin.ts";
import { openLinuxChanges } from "./_changes_socket_linux.ts";
import { DarwinDeviceFrames } from "./_device_frames_darwin.ts";
import { LinuxDeviceFrames } from "./_device_frames_linux.ts";
import { readDarwinRoutes } from "./_host_routes_darwin.ts";
import { DeviceIo } from "./device_io.ts";
import { HostChanges } from "./host_changes.ts";
import type { HostRoute } from "./host_route.ts";
import { readLinuxRoutes } from "./host_routes_linux.ts";

const isDarwin = Deno.build.os === "darwin";

/**
 * @param wakeFd Of the other thread's; one is made without.
 * @throws {Error} when the kernel has no descriptor left.
 */
export function openDeviceIo(fd: number, wakeFd?: number): DeviceIo {
  const frames = isDarwin
    ? new DarwinDeviceFrames(fd)
    : new LinuxDeviceFrames(fd);
  const bell = isDarwin ? new DarwinBell(wakeFd) : new LinuxBell(wakeFd);
  return new DeviceIo(fd, { frames, bell });
}

/** @throws {Error} when the kernel lets nobody listen here, as some sandboxes do. */
export function openHostChanges(): HostChanges {
  const socket = isDarwin ? openDarwinChanges() : openLinuxChanges();
  const bell = isDarwin ? new DarwinBell() : new LinuxBell();
  return new HostChanges({ socket, bell });
}

/**
 * Routes that count for all traffic of the host, those too that rules lead to, which some VPNs have for themselves. A
 * family that the host does not have has none.
 */
export function readHostRoutes(): Promise<HostRoute[]> {
  return isDarwin ? readDarwinRoutes() : readLinuxRoutes();
}

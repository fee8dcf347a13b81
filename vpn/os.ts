/**
 * The operating system's own parts of this room: which of them serve here is decided in this file and, for the daemon, in
 * `network_edge.ts`.
 */
import { DarwinDeviceIo } from "./_device_io_darwin.ts";
import { LinuxDeviceIo } from "./_device_io_linux.ts";
import { DarwinHostChanges } from "./_host_changes_darwin.ts";
import { readDarwinRoutes } from "./_host_routes_darwin.ts";
import type { DeviceIo } from "./device_io.ts";
import type { HostChanges } from "./host_changes.ts";
import { LinuxHostChanges } from "./host_changes_linux.ts";
import type { HostRoute } from "./host_route.ts";
import { readLinuxRoutes } from "./host_routes_linux.ts";

const isDarwin = Deno.build.os === "darwin";

/**
 * @param wakeFd Of the other thread's; one is made without.
 * @throws {Error} when the kernel has no descriptor left.
 */
export function openDeviceIo(fd: number, wakeFd?: number): DeviceIo {
  return isDarwin
    ? new DarwinDeviceIo(fd, wakeFd)
    : new LinuxDeviceIo(fd, wakeFd);
}

/** @throws {Error} when the kernel lets nobody listen here, as some sandboxes do. */
export function openHostChanges(): HostChanges {
  return isDarwin ? new DarwinHostChanges() : new LinuxHostChanges();
}

/**
 * Routes that count for all traffic of the host, those too that rules lead to, which some VPNs have for themselves. A
 * family that the host does not have has none.
 */
export function readHostRoutes(): Promise<HostRoute[]> {
  return isDarwin ? readDarwinRoutes() : readLinuxRoutes();
}

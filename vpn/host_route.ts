/** The host's routes as any user may read them. The OS is in the name of the file that does. */
import { type Ip, Subnet } from "../net/mod.ts";

export interface HostRoute {
  subnet: Subnet;
  /** Name of the interface. */
  device: string;
  /** Absent where the device itself leads to the subnet: its own link, or a tunnel. */
  gateway?: Ip;
  /** True when the host has an address of its own in this very subnet. */
  onLink: boolean;
  metric: number;
  /** The table that a rule leads to before the main one; absent: the main one. */
  table?: number;
}

/**
 * Shorter prefixes say how to reach all that nobody has a better route for: a default route, whole or in the pieces that
 * tunnels make of it. Longer ones are meant for somebody: a company's 10.0.0.0/8, all unique local addresses.
 */
const shortestMeant = { 4: 8, 6: 7 } as const;

/** Names of the loopback interface, on Linux and macOS. */
const loopbacks = ["lo", "lo0"];

/** Whether the host means this very subnet, and not just everything. */
export function isMeant({ subnet, device }: HostRoute): boolean {
  return !loopbacks.includes(device) &&
    subnet.prefix >= shortestMeant[subnet.family];
}

/** The same, those marked too that lead to a subnet in which the host's interface has an address. */
export function withLinks(routes: readonly HostRoute[]): HostRoute[] {
  const linkOf = (device: string, subnet: Subnet) => `${device} ${subnet}`;
  const links = new Set(
    Deno.networkInterfaces()
      .map(({ name, cidr }) => linkOf(name, Subnet.parse(cidr))),
  );
  return routes.map((route) => ({
    ...route,
    onLink: route.onLink || route.gateway === undefined &&
        links.has(linkOf(route.device, route.subnet)),
  }));
}

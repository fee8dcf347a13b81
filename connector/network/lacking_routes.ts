import { type Ip, Subnet } from "../../net/mod.ts";
import type { HostRoute } from "../../vpn/mod.ts";

/** What routes by a device lead to. */
export interface Led {
  /** Each has a route of its own. */
  readonly subnets: readonly Subnet[];
  /** Each is in a subnet that has one. */
  readonly addresses: readonly Ip[];
}

/** What of `wanted` no route of `routes` by `device` leads to. A table that a rule leads to does not count. */
export function lackingRoutes(
  { subnets, addresses }: Led,
  { routes, device }: { routes: readonly HostRoute[]; device: string },
): Subnet[] {
  const there = routes
    .filter((one) => one.device === device && one.table === undefined)
    .map(({ subnet }) => subnet);
  const texts = new Set(there.map(String));
  return [
    ...subnets.filter((subnet) => !texts.has(String(subnet))),
    ...addresses.filter((ip) => !there.some((subnet) => subnet.contains(ip)))
      .map((ip) => new Subnet(ip, ip.bits)),
  ];
}

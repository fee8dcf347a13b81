/** Which subnets may be routed to the cluster without harm to the host. Pure. */
import { Subnet, subtractSubnets } from "../net/mod.ts";
import type { HostRoute } from "./host_routes_linux.ts";

export interface SubnetsWanted {
  /** Subnets of the cluster. */
  wanted: Subnet[];
  /** Routes that the host has by itself. */
  hostRoutes: HostRoute[];
  /** What must never be routed to the cluster: the API server, the host's nameservers. */
  holes: Subnet[];
}

export interface SubnetPlan {
  /** What to route, without overlap, in order. */
  routes: Subnet[];
  /** What is left out, and why. */
  skipped: { subnet: Subnet; reason: string }[];
}

/**
 * Cuts out of the cluster's subnets what belongs to the host: addresses on its own links, and the holes. A route of the
 * host through a gateway is no obstacle unless it is as specific: then the host means that very subnet.
 */
export function planSubnets(
  { wanted, hostRoutes, holes }: SubnetsWanted,
): SubnetPlan {
  const skipped: SubnetPlan["skipped"] = [];
  const onLink = hostRoutes.filter(isOnLink);
  const kept = wanted.filter((subnet) => {
    const link = onLink.find((route) => route.subnet.covers(subnet));
    const taken = hostRoutes.find((route) => route.subnet.equals(subnet));
    if (link !== undefined) {
      const reason =
        `the host is connected to ${link.subnet} by ${link.device}`;
      skipped.push({ subnet, reason });
    } else if (taken !== undefined) {
      const reason = `the host routes it through ${taken.device}`;
      skipped.push({ subnet, reason });
    }
    return link === undefined && taken === undefined;
  });
  const cut = [...holes, ...onLink.map((route) => route.subnet)];
  for (const hole of cut) {
    if (!kept.some((subnet) => subnet.covers(hole))) continue;
    skipped.push({ subnet: hole, reason: "it belongs to the host" });
  }
  return { routes: subtractSubnets(kept, cut), skipped };
}

function isOnLink({ subnet, gateway, device }: HostRoute): boolean {
  return gateway === undefined && subnet.prefix > 0 && device !== "lo";
}

/** Benchmarking addresses (RFC 2544), which no network uses; unique local ones made from a random prefix (RFC 4193). */
const homes = {
  4: { subnet: Subnet.parse("198.18.0.0/15"), prefix: 29 },
  6: { subnet: Subnet.parse("fd74:705f:6b3e::/48"), prefix: 64 },
};

/**
 * The subnet of the TUN device: the first that overlaps no route of the host but default routes.
 *
 * @throws {RangeError} when all are taken.
 */
export function pickTunSubnet(hostRoutes: HostRoute[], family: 4 | 6): Subnet {
  const { subnet: home, prefix } = homes[family];
  const step = 1n << BigInt(home.base.bits - prefix);
  const taken = hostRoutes.map((route) => route.subnet)
    .filter((subnet) => subnet.prefix > 1 && subnet.overlaps(home));
  for (let i = 0n; home.contains(home.at(i * step)); i++) {
    const subnet = new Subnet(home.at(i * step), prefix);
    if (!taken.some((other) => other.overlaps(subnet))) return subnet;
    if (taken.some((other) => other.covers(home))) break;
  }
  throw new RangeError(
    `Cannot find a subnet for the device: the host routes all of ${home}`,
  );
}

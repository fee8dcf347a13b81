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

/** Loopback, link-local, multicast and reserved addresses: never a cluster's. */
const reserved = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/3",
  "::/127",
  "fe80::/10",
  "ff00::/8",
].map(Subnet.parse);

/**
 * Cuts out of the cluster's subnets what belongs to the host: its own links, and the holes. A wider route of the host
 * through a gateway or a tunnel is no obstacle; an equal one is, as the host means that very subnet.
 */
export function planSubnets(
  { wanted, hostRoutes, holes }: SubnetsWanted,
): SubnetPlan {
  const skipped: SubnetPlan["skipped"] = [];
  const kept = wanted.filter((subnet) => {
    const reason = reasonAgainst(subnet, hostRoutes);
    if (reason !== undefined) skipped.push({ subnet, reason });
    return reason === undefined;
  });
  const links = hostRoutes.filter(isLink);
  const cuts = [
    ...links.map(({ subnet, device }) => ({ subnet, reason: onLink(device) })),
    ...[...reserved, ...holes].map((subnet) => ({
      subnet,
      reason: "it is reached without the cluster",
    })),
  ];
  for (const cut of cuts) {
    if (kept.some((subnet) => subnet.covers(cut.subnet))) skipped.push(cut);
  }
  return {
    routes: subtractSubnets(kept, cuts.map(({ subnet }) => subnet)),
    skipped,
  };
}

function reasonAgainst(
  subnet: Subnet,
  hostRoutes: HostRoute[],
): string | undefined {
  if (subnet.prefix === 0) return "it is everything";
  if (reserved.some((one) => one.covers(subnet))) return "it is reserved";
  const link = hostRoutes.find((route) =>
    isLink(route) && route.subnet.covers(subnet)
  );
  if (link) return onLink(link.device);
  const equal = hostRoutes.find((route) => route.subnet.equals(subnet));
  return equal && `the host routes it through ${equal.device}`;
}

function isLink({ onLink, subnet, device }: HostRoute): boolean {
  return onLink && subnet.prefix > 0 && device !== "lo";
}

function onLink(device: string): string {
  return `the host is connected to it by ${device}`;
}

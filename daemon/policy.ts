/** What the daemon may do to a host, decided from facts alone: nothing that a client asks for may break it. */
import { type Ip, shortestPrefix, Subnet } from "../net/mod.ts";
import type { RefusalCode } from "./refusal.ts";

/** What the host has by itself. */
export interface HostFacts {
  /** Subnets that the host is connected to. */
  readonly onLink: readonly Subnet[];
  /** Destinations of the host's routes. */
  readonly routed: readonly Subnet[];
  readonly nameservers: readonly Ip[];
}

/** Sizes of a device's own subnet: room for the three addresses, and no more than a LAN. */
const devicePrefixes = { 4: { min: 24, max: 29 }, 6: { min: 64, max: 125 } };

/** More routes than the nodes of the largest clusters have pod subnets. */
const maxRoutes = 8192;

const loopback = [Subnet.parse("127.0.0.0/8"), Subnet.parse("::1/128")];
const linkLocal = [Subnet.parse("169.254.0.0/16"), Subnet.parse("fe80::/10")];
const multicast = [
  Subnet.parse("224.0.0.0/4"),
  Subnet.parse("255.255.255.255/32"),
  Subnet.parse("ff00::/8"),
];
/** "This network" (RFC 1122 section 3.2.1.3) and the unspecified address mean this host. */
const thisHost = [Subnet.parse("0.0.0.0/8"), Subnet.parse("::/128")];

/** Why `subnet` may not be routed to the cluster; `undefined` when it may. */
export function refuseRoute(
  subnet: Subnet,
  facts: HostFacts & { routes: number },
): RefusalCode | undefined {
  const refusal = refuseAddresses(subnet);
  if (refusal !== undefined) return refusal;
  // A route that is wider than the link's own leaves the link alone: the longer prefix wins.
  if (facts.onLink.some((link) => link.covers(subnet))) return "subnet-on-link";
  if (facts.nameservers.some((ip) => subnet.contains(ip))) {
    return "subnet-nameserver";
  }
  return facts.routes >= maxRoutes ? "too-many-routes" : undefined;
}

/** Why a device may not have `subnet`; `undefined` when it may. */
export function refuseDevice(
  subnet: Subnet,
  facts: HostFacts,
): RefusalCode | undefined {
  const refusal = refuseAddresses(subnet);
  if (refusal !== undefined) return refusal;
  const { min, max } = devicePrefixes[subnet.family];
  if (subnet.prefix < min || subnet.prefix > max) return "subnet-size";
  if (facts.nameservers.some((ip) => subnet.contains(ip))) {
    return "subnet-nameserver";
  }
  const taken = [...facts.onLink, ...facts.routed].some((other) =>
    // Routes as wide as a default route cover everything and stay beside any device.
    other.prefix >= shortestPrefix[other.family] && other.overlaps(subnet)
  );
  return taken ? "subnet-taken" : undefined;
}

function refuseAddresses(subnet: Subnet): RefusalCode | undefined {
  const touches = (others: Subnet[]) =>
    others.some((other) => other.overlaps(subnet));
  if (subnet.prefix === 0) return "subnet-default";
  if (subnet.prefix < shortestPrefix[subnet.family]) return "subnet-too-wide";
  if (touches(loopback) || touches(thisHost)) return "subnet-loopback";
  if (touches(linkLocal)) return "subnet-link-local";
  return touches(multicast) ? "subnet-multicast" : undefined;
}

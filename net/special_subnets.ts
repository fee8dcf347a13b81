import { Subnet } from "./subnet.ts";

/** Loopback, link-local, multicast and reserved addresses: what means a host itself, its links, or many hosts at once. */
export const reservedSubnets: readonly Subnet[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/3",
  "::/127",
  "fe80::/10",
  "ff00::/8",
].map(Subnet.parse);

/**
 * Shorter prefixes are refused: a few of them swallow the internet as a default route does (the pair of /1 that VPNs set),
 * and no cluster has more than a /8 of IPv4 or a /16 of IPv6 (a provider's whole allocation is a /20 or longer).
 */
export const shortestPrefix = { 4: 8, 6: 16 } as const;

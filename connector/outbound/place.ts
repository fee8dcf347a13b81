import type { Ip, Subnet } from "../../net/mod.ts";

export interface Places {
  /** Subnets of the cluster, and what is reached through it. */
  readonly cluster: readonly Subnet[];
  /** What is not reached through it. */
  readonly never: readonly Subnet[];
  /** Networks that the laptop is in. */
  readonly laptop: readonly Subnet[];
}

/**
 * Whose an address is. Where several have it, the narrowest subnet wins; of those that are equally wide what is never the
 * cluster's, then the cluster: nobody else on the laptop is affected, and who asked for the cluster wants that.
 */
export function placeOf(ip: Ip, places: Places): "cluster" | "laptop" {
  const cluster = longestPrefix(ip, places.cluster);
  return cluster >= 0 && cluster > longestPrefix(ip, places.never) &&
      cluster >= longestPrefix(ip, places.laptop)
    ? "cluster"
    : "laptop";
}

/** The narrowest of the subnets that hold `ip`; -1 when none does. */
function longestPrefix(ip: Ip, subnets: readonly Subnet[]): number {
  let longest = -1;
  for (const subnet of subnets) {
    if (subnet.prefix > longest && subnet.contains(ip)) longest = subnet.prefix;
  }
  return longest;
}

import type { EdgeName } from "../dns/edges/choose_edge.ts";
import type { Ip } from "../net/mod.ts";
import type { ZoneUse } from "./api.ts";

/** What the host's resolver is to ask, most wanted first. */
export interface ResolverWish {
  nameserver: Ip;
  zones?: readonly string[];
  /** Zones that are top-level domains, and that the user wants. */
  topLevel?: readonly string[];
  /** Short names are tried in these. */
  search?: readonly string[];
}

/** How the host's resolver was set. */
export interface ResolverState {
  edge: EdgeName;
  /** Why it was that edge, as a sentence without final period. */
  reason: string;
  /** Zones that the daemon does not take, or that are too many. */
  refused: readonly string[];
}

export interface UsedZone {
  readonly zone: string;
  readonly use: ZoneUse;
}

/** In the order in which they are told: when there are too many, the last are left out. */
export function usedZones(
  { search = [], topLevel = [], zones = [] }: ResolverWish,
): UsedZone[] {
  const used = (names: readonly string[], use: ZoneUse) =>
    names.map((zone) => ({ zone, use }));
  return [
    ...used(search, "search"),
    ...used(topLevel, "ask-top-level"),
    ...used(zones, "ask"),
  ];
}

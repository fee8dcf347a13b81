/**
 * Which addresses of the cluster are routed to it, and which are reached by virtual ones, so that the host loses nothing.
 * Pure.
 *
 * 1. What the user keeps from the cluster is taken out, unless something narrower in it is the cluster's.
 * 2. What cannot be a cluster's, or is of a family that this host lacks, is put aside.
 * 3. What the host has a use of its own for is claimed: its links, its routes, single addresses.
 * 4. Where cluster and claims overlap, the cluster is reached by virtual addresses, and so it is where the user wants it.
 * 5. All else is routed.
 */
import {
  compareSubnets,
  joinSubnets,
  reservedSubnets,
  Subnet,
  subtractSubnets,
} from "../net/mod.ts";
import { type HostRoute, isMeant } from "./host_route.ts";

/** A subnet, and why it is treated as it is: a clause without final period. */
export interface ReasonedSubnet {
  subnet: Subnet;
  reason: string;
}

export interface SubnetsWanted {
  /** Subnets of the cluster, and what is reached through it. */
  wanted: readonly Subnet[];
  /** What is not reached through the cluster, unless by something of `wanted` that is narrower. */
  never: readonly Subnet[];
  /** Routes that the host has by itself. */
  hostRoutes: readonly HostRoute[];
  /** What else must never be routed to the cluster: the API server, the host's nameservers, its own addresses. */
  claims: readonly ReasonedSubnet[];
  /** Families that the device has addresses of. */
  families: readonly (4 | 6)[];
  /** Where the cluster goes before the host's routes, but not before its links and `claims`. */
  allowed: readonly Subnet[];
  /** What is reached by virtual addresses whether or not anything is in its way, in the cluster's subnets or outside. */
  vnat: readonly Subnet[];
}

export interface SubnetPlan {
  /** What to route. Without overlap, but for parts that must win against a route of the host inside. In order. */
  routes: Subnet[];
  /** What is reached by virtual addresses. In order, without overlap. */
  virtual: ReasonedSubnet[];
  /** What this host has no way to. */
  unreachable: ReasonedSubnet[];
  /** What is no cluster's to have. */
  skipped: ReasonedSubnet[];
}

const asked = "asked for by --vnat or --proxy-via";

export function planSubnets(world: SubnetsWanted): SubnetPlan {
  const skipped: ReasonedSubnet[] = [];
  const unreachable: ReasonedSubnet[] = [];
  const isPossible = (subnet: Subnet): boolean => {
    const reason = whyNever(subnet);
    if (reason !== undefined) skipped.push({ subnet, reason });
    const { family } = subnet;
    const isAbsent = !world.families.includes(family);
    if (reason === undefined && isAbsent) {
      unreachable.push({ subnet, reason: `this host has no IPv${family}` });
    }
    return reason === undefined && !isAbsent;
  };
  const ours = (subnets: readonly Subnet[]) =>
    withoutNever(subnets, world.never).filter(isPossible);
  const wanted = ours(world.wanted);
  const vnat = ours(world.vnat);
  const virtual = joinedByReason(withoutCovered([
    ...vnat.map((subnet) => ({ subnet, reason: asked })),
    ...claimsOf(world).flatMap((claim) => overlaps(wanted, claim)),
  ]));
  const cuts = joinSubnets([
    ...virtual.map(({ subnet }) => subnet),
    ...reservedSubnets,
  ]);
  return {
    routes: subtractSubnets(wanted, cuts)
      .flatMap((route) => beforeOthers(route, world.hostRoutes)),
    virtual,
    unreachable,
    skipped,
  };
}

/**
 * The addresses of `wanted` that are not of `never`: of all that hold an address the narrowest counts, and `never` before
 * `wanted` that is as wide. Without overlap, unless `never` is empty.
 */
export function withoutNever(
  wanted: readonly Subnet[],
  never: readonly Subnet[],
): Subnet[] {
  if (never.length === 0) return [...wanted];
  const prefixes = new Set([...wanted, ...never].map(({ prefix }) => prefix));
  const inOrder = [...prefixes].sort((a, b) => a - b);
  const ofPrefix = (subnets: readonly Subnet[], prefix: number) =>
    subnets.filter((subnet) => subnet.prefix === prefix);
  return inOrder.reduce<Subnet[]>(
    (left, prefix) =>
      subtractSubnets(
        [...left, ...ofPrefix(wanted, prefix)],
        ofPrefix(never, prefix),
      ),
    [],
  );
}

function whyNever(subnet: Subnet): string | undefined {
  if (subnet.prefix === 0) return "it is everything";
  if (reservedSubnets.some((one) => one.covers(subnet))) {
    return "it is reserved";
  }
  return undefined;
}

/** What the host has a use of its own for; without what the user lets the cluster have. */
function claimsOf(
  { hostRoutes, claims, allowed }: SubnetsWanted,
): ReasonedSubnet[] {
  const routes = hostRoutes.filter(isMeant).flatMap((route) => {
    const { subnet, device, onLink, table } = route;
    if (onLink) {
      return [{ subnet, reason: `the host is connected to it by ${device}` }];
    }
    // There is no longer one than that to a single address, and another table is asked before ours.
    const canBeBeaten = subnet.split() !== undefined && table === undefined;
    const kept = canBeBeaten ? subtractSubnets([subnet], allowed) : [subnet];
    const reason = `the host routes ${subnet} through ${device}`;
    return kept.map((subnet) => ({ subnet, reason }));
  });
  return [...routes, ...claims];
}

/** The parts of `wanted` that are claimed. */
function overlaps(
  wanted: readonly Subnet[],
  { subnet: claimed, reason }: ReasonedSubnet,
): ReasonedSubnet[] {
  return wanted.filter((subnet) => subnet.overlaps(claimed)).map((subnet) => ({
    subnet: subnet.covers(claimed) ? claimed : subnet,
    reason,
  }));
}

/** In order; of what covers another, the wider one. */
function withoutCovered(parts: readonly ReasonedSubnet[]): ReasonedSubnet[] {
  const kept: ReasonedSubnet[] = [];
  const inOrder = parts.toSorted((a, b) => compareSubnets(a.subnet, b.subnet));
  for (const part of inOrder) {
    if (!kept.at(-1)?.subnet.covers(part.subnet)) kept.push(part);
  }
  return kept;
}

/** In order, with neighbours of one reason in one, and nothing that is reserved. */
function joinedByReason(parts: readonly ReasonedSubnet[]): ReasonedSubnet[] {
  const byReason = Map.groupBy(parts, ({ reason }) => reason);
  return [...byReason].flatMap(([reason, all]) => {
    const subnets = joinSubnets(all.map(({ subnet }) => subnet));
    return subtractSubnets(subnets, reservedSubnets)
      .map((subnet) => ({ subnet, reason }));
  }).sort((a, b) => compareSubnets(a.subnet, b.subnet));
}

/** A route, and what it takes to be before those of the host that are inside: the longer prefix wins. */
function beforeOthers(
  route: Subnet,
  hostRoutes: readonly HostRoute[],
): Subnet[] {
  const inside = hostRoutes.filter((other) =>
    isMeant(other) && route.covers(other.subnet)
  );
  if (inside.length === 0) return [route];
  const halves = inside.flatMap(({ subnet }) => subnet.split() ?? []);
  const isSame = inside.some(({ subnet }) => subnet.equals(route));
  const all = [...isSame ? [] : [route], ...halves];
  const distinct = new Map(all.map((one) => [String(one), one]));
  return [...distinct.values()].sort(compareSubnets);
}

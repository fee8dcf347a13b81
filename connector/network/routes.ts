import { logger } from "../../log.ts";
import type { World } from "../../manager/api.ts";
import {
  type Clock,
  compareSubnets,
  type Ip,
  Subnet,
  systemClock,
} from "../../net/mod.ts";
import {
  type HostRoute,
  isMeant,
  planSubnets,
  readHostRoutes,
  type ReasonedSubnet,
  type SubnetPlan,
} from "../../vpn/mod.ts";
import type { ClusterAddresses } from "./cluster_addresses.ts";
import { clusterSubnets } from "./cluster_subnets.ts";
import type { Device } from "./device.ts";
import { lackingRoutes } from "./lacking_routes.ts";
import { RouteReturns } from "./route_returns.ts";
import { type SubnetWishes, virtualSubnets } from "./subnet_wishes.ts";
import type { VirtualAddresses } from "./virtual_addresses.ts";
import { VirtualRanges } from "./virtual_ranges.ts";

const log = logger("connector");

/** Who sets routes: the daemon. */
export interface RouteSetter {
  /** Sets again, too, what it has set and another took away, and so the device's own subnet. */
  addRoute(subnet: Subnet): Promise<void>;
  deleteRoute(subnet: Subnet): Promise<void>;
}

/** A connection, as far as routes are concerned. */
export interface RoutedMember {
  readonly name: string;
  /** What its cluster has. Read each time. */
  readonly world: World;
  /** What the user wants of the cluster's subnets. */
  readonly wishes: SubnetWishes;
  /** What the user says is reached through the cluster, too, and what is not. Read each time. */
  readonly proxied: { readonly also: Subnet[]; readonly never: Subnet[] };
  /** Is told what holds, after the routes for it are there and before those that it no longer needs are gone. */
  readonly addresses: ClusterAddresses;
}

export interface RouteKeeperOptions<Member extends RoutedMember> {
  setter: RouteSetter;
  /** The TUN device, whose own routes do not count as the host's. */
  device: Pick<Device, "name" | "v4" | "v6" | "dnsAddresses">;
  /** What the host must reach without the cluster. Read each time. */
  claims: () => ReasonedSubnet[];
  /** In order: who comes before another keeps the addresses that both have. Read each time. */
  members: () => readonly Member[];
  virtual: VirtualAddresses;
  /** Where the host's routes are read. */
  readRoutes?: () => Promise<HostRoute[]>;
  clock?: Clock;
}

/** A subnet of the cluster that is reached by virtual addresses. */
export interface VirtualSubnet extends ReasonedSubnet {
  /** Since when. */
  since: Date;
}

/** What there is of one member. */
export interface Routed {
  readonly routes: readonly Subnet[];
  readonly virtual: readonly VirtualSubnet[];
  /** What this laptop has no way to. */
  readonly skipped: readonly ReasonedSubnet[];
}

const nothing: Routed = { routes: [], virtual: [], skipped: [] };

/**
 * Keeps the host's routes to what clusters have, as they and the host change: what is in the way of the host, or of a
 * connection that was there before, is reached by virtual addresses, and what another program takes away is set again.
 */
export class RouteKeeper<Member extends RoutedMember> {
  readonly #options: RouteKeeperOptions<Member>;
  readonly #ranges: VirtualRanges;
  /** Those that are set, by their text. */
  readonly #routes = new Map<string, Subnet>();
  readonly #returns: Readonly<Record<4 | 6, RouteReturns>>;
  /** Those of them that are to be set again. */
  #returning = new Set<string>();
  #routed: ReadonlyMap<Member, Routed> = new Map();
  #last: Promise<void> = Promise.resolve();

  constructor(options: RouteKeeperOptions<Member>) {
    this.#options = options;
    const { virtual, clock = systemClock } = options;
    this.#returns = {
      4: new RouteReturns({ clock }),
      6: new RouteReturns({ clock }),
    };
    const addRoute = (range: Subnet) => this.#addRoute(range);
    this.#ranges = new VirtualRanges({ virtual, addRoute });
  }

  /** What of a member is routed, and what is not. */
  of(member: Member): Routed {
    return this.#routed.get(member) ?? nothing;
  }

  /** Whether a route leads to `ip`, those of virtual addresses included. */
  leadToCluster(ip: Ip): boolean {
    return this.#routes.values().some((route) => route.contains(ip));
  }

  /** Whose `ip` is by a route, not by a virtual address. */
  owner(ip: Ip): Member | undefined {
    let found: { member: Member; prefix: number } | undefined;
    for (const [member, { routes }] of this.#routed) {
      for (const route of routes) {
        const isCloser = route.contains(ip) &&
          route.prefix > (found?.prefix ?? -1);
        if (isCloser) found = { member, prefix: route.prefix };
      }
    }
    return found?.member;
  }

  /** Whether something that is set is not among the host's `routes`, or a way to our DNS is not. */
  lacks(routes: readonly HostRoute[]): boolean {
    return this.#lacking(routes).length > 0;
  }

  /** Follows what there is; calls are served in order. */
  follow(): Promise<void> {
    this.#last = this.#last.catch(() => {}).then(() => this.#apply());
    return this.#last;
  }

  async #apply(): Promise<void> {
    const { device, readRoutes = readHostRoutes, claims } = this.#options;
    const found = await readRoutes();
    await this.#beginReturn(found);
    const hostRoutes = found.filter((route) => route.device !== device.name);
    const families = [device.v4, device.v6]
      .flatMap((own) => own ? [own.subnet.family] : []);
    const members = this.#options.members().map((member) => ({
      ...{ member, wanted: wantedOf(member) },
      vnat: vnatOf(member),
    }));
    const claimed = claims();
    const planned: { member: Member; plan: SubnetPlan }[] = [];
    for (const { member, wanted, vnat } of members) {
      const { wishes: { allowed }, proxied: { never } } = member;
      const plan = await this.#route({
        ...{ wanted, never, hostRoutes, families, allowed, vnat },
        claims: [...claimed, ...planned.flatMap(ownedBy)],
      });
      planned.push({ member, plan });
    }
    const taken = [
      ...hostRoutes.filter(isMeant).map(({ subnet }) => subnet),
      ...[device.v4, device.v6].flatMap((own) => own ? [own.subnet] : []),
      ...members.flatMap(({ wanted, vnat }) => [...wanted, ...vnat]),
    ];
    const plans = planned.map(({ plan }) => plan);
    await this.#makeRoom(plans, { families, taken });
    for (const { member, plan } of planned) member.addresses.plan = plan;
    this.#routed = new Map(
      planned.map(({ member, plan }) => [member, this.#note(member, plan)]),
    );
    const needed = new Set(
      [...plans.flatMap(({ routes }) => routes), ...this.#ranges.routes]
        .map(String),
    );
    for (const [text, surplus] of this.#routes) {
      if (needed.has(text)) continue;
      await this.#options.setter.deleteRoute(surplus);
      this.#routes.delete(text);
    }
  }

  #lacking(routes: readonly HostRoute[]): Subnet[] {
    const { name, dnsAddresses } = this.#options.device;
    const subnets = [...this.#routes.values()];
    return lackingRoutes({ subnets, addresses: dnsAddresses }, {
      ...{ routes, device: name },
    });
  }

  /**
   * Has the plan set again what it still needs. The device's own subnets come first: all others of the family start from
   * there. A family that cannot have its own, as where the host has turned IPv6 off, holds the other one up in nothing.
   */
  async #beginReturn(routes: readonly HostRoute[]): Promise<void> {
    const { setter, device: { v4, v6 } } = this.#options;
    const lacking = this.#lacking(routes);
    this.#returning = new Set();
    for (const own of [v4, v6]) {
      if (own === undefined) continue;
      const { family } = own.subnet;
      const taken = lacking.filter((one) => one.family === family);
      if (taken.length === 0 || !this.#returns[family].areDue(taken)) continue;
      try {
        const isTaken = taken.some((one) => own.subnet.covers(one));
        if (isTaken) await setter.addRoute(own.subnet);
        for (const one of taken) this.#returning.add(String(one));
      } catch (error) {
        log.warn("the device's own subnet cannot be set again", {
          subnet: own.subnet,
          error,
        });
      }
    }
  }

  /** Provides for virtual addresses; where there is none to be had, the plans do without. */
  async #makeRoom(
    plans: readonly SubnetPlan[],
    { families, taken }: {
      families: readonly (4 | 6)[];
      taken: readonly Subnet[];
    },
  ): Promise<void> {
    this.#ranges.yieldTo(taken);
    await this.#ranges.route();
    for (const family of families) {
      const [first, ...others] = plans.flatMap(({ virtual }) => virtual)
        .map(({ subnet }) => subnet)
        .filter((subnet) => subnet.family === family);
      if (first === undefined) continue;
      const isThere = await this.#ranges.provide([first, ...others], { taken });
      if (!isThere) { for (const plan of plans) giveUpVirtual(plan, family); }
    }
  }

  /** Sets the routes of the plan; what the daemon refuses is planned without. */
  async #route(world: Parameters<typeof planSubnets>[0]): Promise<SubnetPlan> {
    const plan = planSubnets(world);
    const refused: ReasonedSubnet[] = [];
    for (const subnet of plan.routes) {
      try {
        await this.#addRoute(subnet);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warn("route not set", { subnet, reason });
        refused.push({ subnet, reason });
      }
    }
    if (refused.length === 0) return plan;
    return planSubnets({ ...world, claims: [...world.claims, ...refused] });
  }

  async #addRoute(subnet: Subnet): Promise<void> {
    const text = String(subnet);
    if (this.#routes.has(text) && !this.#returning.has(text)) return;
    await this.#options.setter.addRoute(subnet);
    this.#routes.set(text, subnet);
    this.#returning.delete(text);
  }

  #note(
    member: Member,
    { routes, virtual, unreachable, skipped }: SubnetPlan,
  ): Routed {
    const before = new Map(
      this.of(member).virtual.map((
        one,
      ) => [`${one.subnet} ${one.reason}`, one]),
    );
    const since = new Date();
    return {
      routes: routes.filter((route) => this.#routes.has(String(route)))
        .sort(compareSubnets),
      virtual: virtual.map(({ subnet, reason }) => {
        const known = before.get(`${subnet} ${reason}`);
        if (!known) {
          log.info("reached by virtual addresses", { subnet, reason });
        }
        return known ?? { subnet, reason, since };
      }),
      skipped: [...unreachable, ...skipped],
    };
  }
}

function wantedOf(
  { world, proxied: { also, never } }: RoutedMember,
): Subnet[] {
  const { serviceSubnets, podSubnets } = clusterSubnets(world, never);
  return [...serviceSubnets, ...podSubnets, ...also];
}

function vnatOf(
  { wishes, world, proxied: { also, never } }: RoutedMember,
): Subnet[] {
  return virtualSubnets(wishes, { world: clusterSubnets(world, never), also });
}

/** What no later connection gets by routes. */
function ownedBy(
  { member: { name }, plan }: { member: RoutedMember; plan: SubnetPlan },
): ReasonedSubnet[] {
  const reason = `connection "${name}" has it`;
  return plan.routes.map((subnet) => ({ subnet, reason }));
}

function giveUpVirtual(plan: SubnetPlan, family: 4 | 6): void {
  const isGone = ({ subnet }: ReasonedSubnet) => subnet.family === family;
  plan.unreachable.push(
    ...plan.virtual.filter(isGone).map(({ subnet, reason }) => ({
      subnet,
      reason: `${reason}, and no range is free for virtual addresses`,
    })),
  );
  plan.virtual = plan.virtual.filter((one) => !isGone(one));
}

import { logger } from "../log.ts";
import type { World } from "../manager/api.ts";
import { compareSubnets, type Ip, Subnet } from "../net/mod.ts";
import {
  type HostRoute,
  isMeant,
  planSubnets,
  readHostRoutes,
  type ReasonedSubnet,
  type SubnetPlan,
} from "../vpn/mod.ts";
import type { ClusterAddresses } from "./cluster_addresses.ts";
import type { Device } from "./device.ts";
import { type SubnetWishes, virtualSubnets } from "./subnet_wishes.ts";
import type { VirtualAddresses } from "./virtual_addresses.ts";
import { VirtualRanges } from "./virtual_ranges.ts";

const log = logger("connector");

/** Who sets routes: the daemon. */
export interface RouteSetter {
  addRoute(subnet: Subnet): Promise<void>;
  deleteRoute(subnet: Subnet): Promise<void>;
}

export interface RouteKeeperOptions {
  setter: RouteSetter;
  /** The TUN device, whose own routes do not count as the host's. */
  device: Pick<Device, "name" | "v4" | "v6">;
  /** What the host must reach without the cluster, asked anew each time. */
  claims: () => Promise<ReasonedSubnet[]>;
  /** What the user wants of the cluster's subnets. */
  wishes: SubnetWishes;
  /** What the user says is reached through the cluster, too, and what is not. Read each time. */
  proxied: { readonly also: Subnet[]; readonly never: Subnet[] };
  /** Is told what holds, after the routes for it are there and before those that it no longer needs are gone. */
  addresses: ClusterAddresses;
  virtual: VirtualAddresses;
  /** Where the host's routes are read. */
  readRoutes?: () => Promise<HostRoute[]>;
}

/** A subnet of the cluster that is reached by virtual addresses. */
export interface VirtualSubnet extends ReasonedSubnet {
  /** Since when. */
  since: Date;
}

/**
 * Keeps the host's routes to what the cluster has, as both change: what is in the host's way is reached by virtual
 * addresses.
 */
export class RouteKeeper {
  readonly #options: RouteKeeperOptions;
  readonly #ranges: VirtualRanges;
  /** Those that are set, by their text. */
  readonly #routes = new Map<string, Subnet>();
  #virtual: VirtualSubnet[] = [];
  #skipped: ReasonedSubnet[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(options: RouteKeeperOptions) {
    this.#options = options;
    const { virtual } = options;
    const addRoute = (range: Subnet) => this.#addRoute(range);
    this.#ranges = new VirtualRanges({ virtual, addRoute });
  }

  /** Subnets of the cluster that are routed to it. */
  get routes(): Subnet[] {
    const ranges = new Set(this.#ranges.routes.map(String));
    return [...this.#routes.values()]
      .filter((route) => !ranges.has(String(route))).sort(compareSubnets);
  }

  /** Whether one of them leads to `ip`, those of virtual addresses included. */
  leadToCluster(ip: Ip): boolean {
    return this.#routes.values().some((route) => route.contains(ip));
  }

  get virtual(): readonly VirtualSubnet[] {
    return this.#virtual;
  }

  /** What this laptop has no way to. */
  get skipped(): readonly ReasonedSubnet[] {
    return this.#skipped;
  }

  /** Follows one view of the cluster; calls are served in order. */
  follow(world: World): Promise<void> {
    this.#last = this.#last.catch(() => {}).then(() => this.#apply(world));
    return this.#last;
  }

  async #apply(world: World): Promise<void> {
    const { device, readRoutes = readHostRoutes, claims } = this.#options;
    const { wishes, proxied: { also, never } } = this.#options;
    const { allowed } = wishes;
    const vnat = virtualSubnets(wishes, { world, also });
    const wanted = [...world.serviceSubnets, ...world.podSubnets, ...also];
    const hostRoutes = (await readRoutes())
      .filter((route) => route.device !== device.name);
    const families = [device.v4, device.v6]
      .flatMap((own) => own ? [own.subnet.family] : []);
    const plan = await this.#route({
      ...{ wanted, never, hostRoutes, families, allowed },
      claims: await claims(),
      vnat,
    });
    const taken = [
      ...hostRoutes.filter(isMeant).map(({ subnet }) => subnet),
      ...[device.v4, device.v6].flatMap((own) => own ? [own.subnet] : []),
      ...wanted,
      ...vnat,
    ];
    this.#ranges.yieldTo(taken);
    for (const family of families) {
      const [first, ...others] = plan.virtual.map(({ subnet }) => subnet)
        .filter((subnet) => subnet.family === family);
      if (first === undefined) continue;
      const isThere = await this.#ranges.provide([first, ...others], { taken });
      if (!isThere) giveUpVirtual(plan, family);
    }
    this.#options.addresses.plan = plan;
    this.#note(plan);
    const needed = new Set(
      [...plan.routes, ...this.#ranges.routes].map(String),
    );
    for (const [text, surplus] of this.#routes) {
      if (needed.has(text)) continue;
      await this.#options.setter.deleteRoute(surplus);
      this.#routes.delete(text);
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
    if (this.#routes.has(text)) return;
    await this.#options.setter.addRoute(subnet);
    this.#routes.set(text, subnet);
  }

  #note({ virtual, unreachable, skipped }: SubnetPlan): void {
    const before = new Map(
      this.#virtual.map((one) => [`${one.subnet} ${one.reason}`, one]),
    );
    const since = new Date();
    this.#virtual = virtual.map(({ subnet, reason }) => {
      const known = before.get(`${subnet} ${reason}`);
      if (!known) log.info("reached by virtual addresses", { subnet, reason });
      return known ?? { subnet, reason, since };
    });
    this.#skipped = [...unreachable, ...skipped];
  }
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

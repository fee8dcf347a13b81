import { logger } from "../log.ts";
import type { World } from "../manager/api.ts";
import { compareSubnets, type Ip, Subnet } from "../net/mod.ts";
import { planSubnets, readHostRoutes } from "../vpn/mod.ts";

const log = logger("connector");

/** Who sets routes: the daemon. */
export interface RouteSetter {
  addRoute(subnet: Subnet): Promise<void>;
  deleteRoute(subnet: Subnet): Promise<void>;
}

export interface RouteKeeperOptions {
  setter: RouteSetter;
  /** Name of the TUN device, whose own routes do not count as the host's. */
  device: string;
  /** Addresses that must never be routed to the cluster, asked anew each time. */
  holes: () => Promise<Ip[]>;
}

/** A subnet of the cluster that is not routed, and why. */
export interface SkippedSubnet {
  subnet: Subnet;
  reason: string;
}

/** Keeps the host's routes to what the cluster has, as it changes. */
export class RouteKeeper {
  readonly #options: RouteKeeperOptions;
  #routes: Subnet[] = [];
  #skipped: SkippedSubnet[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(options: RouteKeeperOptions) {
    this.#options = options;
  }

  /** Subnets that are routed to the cluster. */
  get routes(): Subnet[] {
    return [...this.#routes].sort(compareSubnets);
  }

  get skipped(): SkippedSubnet[] {
    return this.#skipped;
  }

  /** Follows one view of the cluster; calls are served in order. */
  follow(world: World): Promise<void> {
    this.#last = this.#last.catch(() => {}).then(() => this.#apply(world));
    return this.#last;
  }

  async #apply(world: World): Promise<void> {
    const { setter, device, holes } = this.#options;
    const hostRoutes = await readHostRoutes();
    const plan = planSubnets({
      wanted: [...world.serviceSubnets, ...world.podSubnets],
      hostRoutes: hostRoutes.filter((route) => route.device !== device),
      holes: (await holes()).map((ip) => new Subnet(ip, ip.bits)),
    });
    this.#skipped = plan.skipped;
    const [planned, present] = [plan.routes, this.#routes].map((list) =>
      new Set(list.map(String))
    ) as [Set<string>, Set<string>];
    const missing = plan.routes.filter((one) => !present.has(String(one)));
    const surplus = this.#routes.filter((one) => !planned.has(String(one)));
    for (const subnet of missing) await this.#add(setter, subnet);
    for (const subnet of surplus) {
      await setter.deleteRoute(subnet);
      this.#routes = this.#routes.filter((route) => !route.equals(subnet));
    }
  }

  /** A route that the daemon refuses is told in the status; the others still serve. */
  async #add(setter: RouteSetter, subnet: Subnet): Promise<void> {
    try {
      await setter.addRoute(subnet);
      this.#routes.push(subnet);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn("route not set", { subnet, reason });
      this.#skipped = [...this.#skipped, { subnet, reason }];
    }
  }
}

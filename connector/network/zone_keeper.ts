import type { DaemonClient, ResolverState } from "../../daemon/client.ts";
import { type DnsCluster, routingZonesOf, type Zones } from "../../dns/mod.ts";
import { logger } from "../../log.ts";
import type { Ip } from "../../net/mod.ts";

const log = logger("connector");

/** How often is looked whether the zones are still the same: a new namespace's names are sent to us within 2 s. */
const lookMs = 500;

export interface ZoneKeeperOptions {
  daemon: Pick<DaemonClient, "setResolver" | "restoreResolver">;
  /** Ours, on the device. */
  nameserver: Ip;
  /** The zones of each are the same object while nothing has changed. */
  clusters: () => readonly Pick<DnsCluster, "name" | "zones">[];
}

/** Keeps the host's resolver to what the cluster has. Dispose of it to have the host's own back. */
export class ZoneKeeper implements AsyncDisposable {
  readonly #options: ZoneKeeperOptions;
  #seen: readonly Zones[] = [];
  #told = "";
  #isOver = false;
  #state: ResolverState | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #telling: Promise<unknown> = Promise.resolve();

  private constructor(options: ZoneKeeperOptions) {
    this.#options = options;
  }

  /** @throws {DaemonRefusalError} */
  static async start(options: ZoneKeeperOptions): Promise<ZoneKeeper> {
    const keeper = new ZoneKeeper(options);
    await keeper.#tell({ routesChanged: true });
    keeper.#timer = setInterval(() => keeper.#look(), lookMs);
    return keeper;
  }

  /** How it was last set. */
  get state(): ResolverState {
    return this.#state!;
  }

  /** The daemon knows the routes, and their reverse names when it is told anew. */
  routesChanged(): void {
    this.#look({ routesChanged: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    await this.#telling;
    await this.#options.daemon.restoreResolver().catch(() => {});
  }

  /** One after the other; what failed is tried again at the next change. */
  #look({ routesChanged = false } = {}): void {
    if (this.#isOver) return;
    if (!routesChanged && this.#isSeen()) return;
    this.#telling = this.#telling.then(() => this.#tell({ routesChanged }))
      .catch((error) => log.warn("zones not set", { error }));
  }

  #isSeen(): boolean {
    const clusters = this.#options.clusters();
    return clusters.length === this.#seen.length &&
      clusters.every(({ zones }, i) => zones() === this.#seen[i]);
  }

  async #tell({ routesChanged }: { routesChanged: boolean }): Promise<void> {
    const { daemon, nameserver, clusters } = this.#options;
    const found = clusters().map((one) => ({ ...one, zones: one.zones() }));
    this.#seen = found.map(({ zones }) => zones);
    const wish = routingZonesOf(found);
    const told = JSON.stringify(wish);
    if (told === this.#told && !routesChanged) return;
    this.#state = await daemon.setResolver({ nameserver, ...wish });
    this.#told = told;
  }
}

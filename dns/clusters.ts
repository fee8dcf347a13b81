import type { Clock } from "../net/mod.ts";
import type { Reading } from "./choose_cluster.ts";
import { ClusterResolver } from "./cluster_resolver.ts";
import type { DnsCluster } from "./dns_cluster.ts";
import { Fqdn } from "./name.ts";
import { Pace } from "./pace.ts";
import { Turns } from "./turns.ts";

/** A cluster and who asks it. */
export interface ServedCluster extends Omit<DnsCluster, "name"> {
  readonly name: Fqdn | undefined;
  readonly resolver: ClusterResolver;
  /** Of those who ask it. What is asked of one cluster is not in another's way. */
  readonly turns: Turns;
}

/** What a question means to a cluster that is asked. */
export type Meant = Reading<ServedCluster>;

/** In the order in which they are asked. */
export type Readings = readonly [Meant, ...Meant[]];

export interface ClustersOptions {
  /** In the order in which they are asked. Read at each query. */
  clusters: () => readonly DnsCluster[];
  clock: Clock;
  /** The most answers that are kept of each. */
  cacheCapacity: number;
}

/** The clusters that are asked, each with its own resolver, which stops when its cluster is no more among them. */
export class Clusters {
  readonly #options: ClustersOptions;
  readonly #served = new Map<DnsCluster, ServedCluster>();
  readonly #gone = { cacheHits: 0, joined: 0, loops: 0 };
  #given: readonly DnsCluster[] = [];
  #current: readonly ServedCluster[] = [];

  constructor(options: ClustersOptions) {
    this.#options = options;
  }

  get current(): readonly ServedCluster[] {
    const given = this.#options.clusters();
    if (given === this.#given) return this.#current;
    this.#given = given;
    for (const [cluster, served] of this.#served) {
      if (!given.includes(cluster)) this.#drop(cluster, served);
    }
    this.#current = given.map((cluster) => this.#serve(cluster));
    return this.#current;
  }

  /** Counted since the start, but for `cacheEntries`. */
  stats() {
    const { current } = this;
    const sum = { ...this.#gone, cacheEntries: 0 };
    for (const { resolver } of current) {
      const { cacheHits, cacheEntries, joined, loops } = resolver.stats();
      sum.cacheHits += cacheHits;
      sum.cacheEntries += cacheEntries;
      sum.joined += joined;
      sum.loops += loops;
    }
    return sum;
  }

  /** Gives up what is being asked. */
  stop(): void {
    for (const served of this.#served.values()) stop(served);
  }

  #serve(cluster: DnsCluster): ServedCluster {
    const known = this.#served.get(cluster);
    if (known !== undefined) return known;
    const { clock, cacheCapacity } = this.#options;
    const { name, lookup, lookupTimeoutMs: timeoutMs = 10_000 } = cluster;
    const pace = new Pace({ clock });
    const served = {
      ...cluster,
      name: name === undefined ? undefined : Fqdn.parse(name),
      resolver: new ClusterResolver({
        ...{ lookup, clock, pace, timeoutMs, cacheCapacity },
      }),
      turns: new Turns({ clock, pace, timeoutMs }),
    };
    this.#served.set(cluster, served);
    return served;
  }

  #drop(cluster: DnsCluster, served: ServedCluster): void {
    stop(served);
    const { cacheHits, joined, loops } = served.resolver.stats();
    this.#gone.cacheHits += cacheHits;
    this.#gone.joined += joined;
    this.#gone.loops += loops;
    this.#served.delete(cluster);
  }
}

function stop({ resolver, turns }: ServedCluster): void {
  const why = new Error("Cannot look up: stopped");
  resolver.stop(why);
  turns.stop(why);
}

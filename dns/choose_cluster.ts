/**
 * Chooses which clusters are asked a question, and in what order. Pure.
 *
 * 1. A name that ends in a cluster's own is that cluster's alone, unless a namespace is called so too.
 * 2. The reverse name of an address that stands for one of a cluster is that cluster's.
 * 3. Any other is asked of each whose name it may be, in their order, until one knows it.
 */
import { Ip } from "../net/mod.ts";
import { type AppAddresses, nameBehind } from "./app_addresses.ts";
import type { Fqdn } from "./name.ts";
import { type Asking, internetClass, recordTypes } from "./question.ts";
import { decide, type Decision } from "./resolver.ts";
import type { Zones } from "./zones.ts";

export interface ChoosableCluster {
  readonly name?: Fqdn | undefined;
  readonly zones: () => Zones;
  readonly addresses?: AppAddresses;
}

/** What a question means to one cluster. */
export interface Reading<C> {
  readonly cluster: C;
  /** The name that was asked, without {@link suffix}. */
  readonly name: Fqdn;
  /** The cluster's own name, where the one that was asked ends in it. */
  readonly suffix: Fqdn | undefined;
  readonly decision: Decision & { by: "cluster" | "alias" };
}

export interface Choice<C> {
  /** In order: the next counts where a cluster does not know the name. */
  readonly readings: readonly Reading<C>[];
  /** A name that none of {@link readings} knows is the host's; else there is none. */
  readonly orHost: boolean;
}

export function chooseClusters<C extends ChoosableCluster>(
  asking: Asking,
  clusters: readonly C[],
): Choice<C> {
  const { name } = asking;
  const named = name.labels.length > 1 && asking.class === internetClass
    ? clusters.find((one) => one.name?.topLabel === name.topLabel)
    : undefined;
  if (named === undefined) return inOrder(asking, clusters);
  const readings = readSuffixed(asking, named);
  const isNamespace = clusters.some(({ zones }) =>
    zones().namespaces.has(name.topLabel)
  );
  if (!isNamespace) return { readings, orHost: false };
  const other = inOrder(asking, clusters);
  return { ...other, readings: [...readings, ...other.readings] };
}

/** True when what `cluster` calls `name` is first looked for in another. */
export function leadsElsewhere<C extends ChoosableCluster>(
  name: Fqdn,
  { cluster, clusters }: { cluster: C; clusters: readonly C[] },
): boolean {
  if (clusters[0] === cluster) return false;
  const address = { name, type: recordTypes.a, class: internetClass };
  const [first] = chooseClusters(address, clusters).readings;
  return first !== undefined && first.cluster !== cluster;
}

/** None when there is no such name in `cluster`. */
function readSuffixed<C extends ChoosableCluster>(
  asking: Asking,
  cluster: C,
): Reading<C>[] {
  const suffix = cluster.name!;
  const name = asking.name.before(suffix);
  if (name.topLabel === "arpa") return [];
  const decision = decide({ ...asking, name }, cluster.zones());
  if (decision.by === "host" || decision.by === "none") return [];
  return [{ cluster, name, suffix, decision: within(decision, cluster) }];
}

function inOrder<C extends ChoosableCluster>(
  asking: Asking,
  clusters: readonly C[],
): Choice<C> {
  const { name } = asking;
  const suffix = undefined;
  let readings: Reading<C>[] = [];
  let orHost = true;
  for (const cluster of clusters) {
    const behind = cluster.addresses && nameBehind(asking, cluster.addresses);
    if (behind instanceof Object) {
      const decision = {
        by: "cluster",
        names: [behind],
        orHost: false,
      } as const;
      return { readings: [{ cluster, name, suffix, decision }], orHost: false };
    }
    if (behind === "host") continue;
    const decision = behind === "nothing"
      ? { by: "none" } as const
      : decide(asking, cluster.zones());
    if (decision.by === "host") continue;
    orHost &&= decision.by === "cluster" && decision.orHost;
    if (decision.by === "none") continue;
    readings = [...readings, {
      cluster,
      name,
      suffix,
      decision: cluster === clusters[0] ? decision : within(decision, cluster),
    }];
  }
  return { readings, orHost };
}

/** `decision` with an alias for a name of `cluster` leading to that cluster. */
function within(
  decision: Reading<unknown>["decision"],
  { name, zones }: ChoosableCluster,
): Reading<unknown>["decision"] {
  if (decision.by === "cluster" || decision.of instanceof Ip) return decision;
  const { of } = decision;
  const asking = { name: of, type: recordTypes.a, class: internetClass };
  const isOfCluster = name && decide(asking, zones()).by !== "host";
  return { by: "alias", of: isOfCluster ? of.under(name) ?? of : of };
}

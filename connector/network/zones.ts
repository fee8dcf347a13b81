import type { NameRules, Zones } from "../../dns/mod.ts";
import type { World } from "../../manager/api.ts";
import type { WorldView } from "../session/world_view.ts";

export interface ZonesOptions {
  /** Read at each query. */
  search: () => readonly string[];
  rules: NameRules;
  /** The only namespaces; all when absent. */
  mapped: readonly string[] | undefined;
  /** Keys of names that the cluster is asked of first. */
  proxied: ReadonlySet<string>;
}

/** What names are the cluster's, put together once for each view of it and each search. */
export function zonesOf(
  view: WorldView,
  { search, rules, mapped, proxied }: ZonesOptions,
): () => Zones {
  let last: { world: World; zones: Zones } | undefined;
  return () => {
    const world = view.current;
    const namespaces = search();
    if (last?.world === world && last.zones.search === namespaces) {
      return last.zones;
    }
    const { clusterDomain, serviceSubnets, podSubnets, addresses } = world;
    const zones = {
      clusterDomain,
      namespaces: new Set(world.namespaces),
      search: namespaces,
      ...mapped ? { mapped: new Set(mapped) } : {},
      subnets: [...serviceSubnets, ...podSubnets],
      ...addresses ? { mappedAddresses: new Set(addresses.map(String)) } : {},
      ...{ proxied, rules },
    };
    last = { world, zones };
    return zones;
  };
}

import type { NameRules, Zones } from "../dns/mod.ts";
import type { World } from "../manager/api.ts";
import type { WorldView } from "./world_view.ts";

/** What names are the cluster's, put together once for each view of it and each search. */
export function zonesOf(
  view: WorldView,
  { search, rules }: { search: () => readonly string[]; rules: NameRules },
): () => Zones {
  let last: { world: World; zones: Zones } | undefined;
  return () => {
    const world = view.current;
    const namespaces = search();
    if (last?.world === world && last.zones.search === namespaces) {
      return last.zones;
    }
    const { clusterDomain, serviceSubnets, podSubnets } = world;
    const zones = {
      clusterDomain,
      namespaces: new Set(world.namespaces),
      search: namespaces,
      subnets: [...serviceSubnets, ...podSubnets],
      rules,
    };
    last = { world, zones };
    return zones;
  };
}

import { Fqdn } from "./name.ts";
import { noRules } from "./name_rules.ts";
import { isServedNamespace } from "./resolver.ts";
import { isTopLevelDomain } from "./top_level_domains.ts";
import type { Zones } from "./zones.ts";

/** What a host that can split sends to us. */
export interface RoutingZones {
  /** Most wanted first. Without reverse names. */
  readonly zones: readonly string[];
  /** Namespaces called like a top-level domain, which the user wants served all the same. */
  readonly topLevel: readonly string[];
  /** Domains that short names are tried in. */
  readonly search: readonly string[];
}

/** As {@link routingZones}, of several clusters in order: the name of each first; short names are tried in the first's. */
export function routingZonesOf(
  clusters: readonly { name?: string; zones: Zones }[],
): RoutingZones {
  const all = clusters.map(({ zones }) => routingZones(zones));
  const names = clusters.flatMap(({ name }) =>
    name === undefined ? [] : [name]
  );
  return {
    zones: [...new Set([...names, ...all.flatMap(({ zones }) => zones)])],
    topLevel: [...new Set(all.flatMap(({ topLevel }) => topLevel))],
    search: all[0]?.search ?? [],
  };
}

/**
 * The zones that hold every name which `decide` may give to the cluster. Names in them that are the host's own are asked
 * of it by us. A single label goes to no nameserver from such a host, but what it may stand for is searched: services in
 * namespaces, and before them the user's mappings, which the cluster's domain is searched for.
 */
export function routingZones(
  {
    clusterDomain,
    namespaces,
    search,
    mapped,
    proxied = none,
    rules = noRules,
  }: Zones,
): RoutingZones {
  const domain = clusterDomain.toLowerCase();
  const isMapped = (namespace: string) => mapped?.has(namespace) !== false;
  const served = [...new Set([...search, ...[...namespaces].sort()])].filter((
    one,
  ) => namespaces.has(one) && isMapped(one) && isServedNamespace(one, rules));
  const aliases = [...rules.aliases.keys()].map(nameOfKey);
  const isSingle = ({ labels }: Fqdn) => labels.length === 1;
  const whole = [...aliases, ...[...proxied].map(nameOfKey)].filter((name) =>
    !isSingle(name)
  );
  const zones = [
    ...[domain, "svc"],
    ...[...rules.includeSuffixes, ...whole].map(textOf),
    ...served.filter((one) => !isTopLevelDomain(one)),
  ];
  return {
    search: [
      ...aliases.some(isSingle) ? [domain] : [],
      ...search.filter(isMapped).map((one) =>
        `${one}.svc.${clusterDomain}`.toLowerCase()
      ),
    ],
    zones: [...new Set(zones)],
    topLevel: served.filter(isTopLevelDomain),
  };
}

const none: ReadonlySet<string> = new Set();

/** A key is the name on the wire without the root. */
function nameOfKey(key: string): Fqdn {
  const octets = Uint8Array.from(`${key}\0`, (char) => char.charCodeAt(0));
  return Fqdn.decode(octets, 0)!.name;
}

function textOf(name: Fqdn): string {
  return name.labels.join(".").toLowerCase();
}

import type { Ip } from "../net/mod.ts";
import { Fqdn } from "./name.ts";
import {
  isExcluded,
  isIncluded,
  type NameRules,
  noRules,
} from "./name_rules.ts";
import { type Asking, internetClass, recordTypes } from "./question.ts";
import { addressOfReverseName } from "./reverse_name.ts";
import { isTopLevelDomain } from "./top_level_domains.ts";
import type { Zones } from "./zones.ts";

/** Who answers a question. */
export type Decision =
  /** The cluster's DNS, asked for the first of `names` that it knows. With `orHost`, one it does not know is the host's. */
  | {
    readonly by: "cluster";
    readonly names: readonly [Fqdn, ...Fqdn[]];
    readonly orHost: boolean;
  }
  /** Ourselves: the user says that the name stands for another, whoever answers that, or for an address. */
  | { readonly by: "alias"; readonly of: Fqdn | Ip }
  /** The host's own nameservers, as if we were not there. */
  | { readonly by: "host" }
  /** Nobody: the name is ours, and there can be no such name. */
  | { readonly by: "none" };

const host: Decision = { by: "host" };

/** Names that programs on a laptop ask for by themselves; a service called like that must not answer them. */
const neverOurs = new Set(["wpad", "isatap", "localhost"]);

/** Who holds a zone is never asked about a service, and resolvers ask it about every zone they cross. */
const zoneTypes: ReadonlySet<number> = new Set([
  recordTypes.ns,
  recordTypes.soa,
  recordTypes.ds,
  recordTypes.dnskey,
]);

/**
 * Decides who answers. Pure: the same question and zones give the same decision. Names in namespaces that are not mapped
 * are left out of it.
 *
 * 1. What is never ours; then what the user says of the very name, or of how it ends.
 * 2. Names under the cluster's domain, and under `svc`.
 * 3. Reverse names of the cluster's addresses.
 * 4. Short names.
 */
export function decide(question: Asking, zones: Zones): Decision {
  const decision = decideOfAll(question, zones);
  if (zones.mapped === undefined || decision.by !== "cluster") return decision;
  const { names, orHost } = decision;
  return cluster(names.filter((name) => isMapped(name, zones)), orHost);
}

/** False for the name of a service or pod, or of what is below it, in a namespace that is not mapped. */
function isMapped(name: Fqdn, { clusterDomain, mapped }: Zones): boolean {
  const domain = Fqdn.parse(clusterDomain);
  if (mapped === undefined || !name.isIn(domain)) return true;
  const [kind, namespace] = name.labels
    .slice(0, name.labels.length - domain.labels.length)
    .map((label) => label.toLowerCase()).reverse();
  const isOfNamespace = kind === "svc" || kind === "pod";
  return !isOfNamespace || namespace === undefined || mapped.has(namespace);
}

function decideOfAll(question: Asking, zones: Zones): Decision {
  const { name, type } = question;
  const { rules = noRules } = zones;
  const [first] = name.labels;
  if (first === undefined || question.class !== internetClass) return host;
  if (neverOurs.has(first.toLowerCase()) || name.topLabel === "localhost") {
    return host;
  }
  const domain = Fqdn.parse(zones.clusterDomain);
  const of = rules.aliases.get(name.key) ??
    aliasOfSearched(name, domain, rules);
  if (of !== undefined) return { by: "alias", of };
  if (isExcluded(name, rules)) return host;
  if (name.isIn(domain)) return cluster([name], false);
  if (name.labels.length > 1 && name.topLabel === "svc") {
    return decideUnderSvc(name, domain, zones);
  }
  if (isIncluded(name, rules)) return cluster([name], false);
  if (name.topLabel === "arpa") return decideReverse(name, zones);
  return zoneTypes.has(type) ? host : decideShort(name, domain, zones);
}

/**
 * What the single label before the cluster's domain stands for: a host that splits looks for it there (`routingZones`).
 * Nothing when that ends at such a name again.
 */
function aliasOfSearched(
  name: Fqdn,
  domain: Fqdn,
  { aliases }: NameRules,
): Fqdn | Ip | undefined {
  const isSearched = (one: Fqdn) =>
    one.labels.length === domain.labels.length + 1 && one.isIn(domain);
  if (aliases.size === 0 || !isSearched(name)) return undefined;
  const of = aliases.get(name.first.key);
  let end = of;
  while (end instanceof Fqdn && aliases.has(end.key)) {
    end = aliases.get(end.key);
  }
  return end instanceof Fqdn && isSearched(end) ? undefined : of;
}

/** `svc.ns.svc` and deeper; in a cluster with a namespace `svc` also `svc.ns`, first as in a pod. */
function decideUnderSvc(name: Fqdn, domain: Fqdn, zones: Zones): Decision {
  const whole = name.under(domain);
  return zones.namespaces.has("svc")
    ? cluster([name.under(servicesOf(domain)), whole], false)
    : cluster([whole], false);
}

/** `svc` in a namespace of the search, or `svc.ns` and deeper; else a name outside of the cluster. */
function decideShort(name: Fqdn, domain: Fqdn, zones: Zones): Decision {
  const services = servicesOf(domain);
  if (name.labels.length === 1) {
    const namespaces = zones.search.map((one) =>
      Fqdn.parse(one).under(services)!
    );
    return cluster(namespaces.map((one) => name.under(one)), true);
  }
  if (
    zones.namespaces.has(name.topLabel) &&
    isServedNamespace(name.topLabel, zones.rules)
  ) return cluster([name.under(services)], true);
  return zones.proxied?.has(name.key) ? cluster([name], true) : host;
}

/** False for a namespace called like a top-level domain, unless the user wants its `svc.ns`. */
export function isServedNamespace(
  namespace: string,
  { servedTopLevelNamespaces }: NameRules = noRules,
): boolean {
  return !isTopLevelDomain(namespace) ||
    servedTopLevelNamespaces.has(namespace);
}

function decideReverse(
  name: Fqdn,
  { subnets = [], mappedAddresses }: Zones,
): Decision {
  const ip = addressOfReverseName(name);
  return ip && subnets.some((subnet) => subnet.contains(ip)) &&
      mappedAddresses?.has(String(ip)) !== false
    ? cluster([name], true)
    : host;
}

function servicesOf(domain: Fqdn): Fqdn {
  return Fqdn.parse("svc").under(domain)!;
}

/** Full names that are too long for DNS can not exist; the short one may, elsewhere. */
function cluster(all: (Fqdn | undefined)[], orHost: boolean): Decision {
  const names = all.filter((name) => name !== undefined);
  if (isSome(names)) return { by: "cluster", names, orHost };
  return orHost ? host : { by: "none" };
}

function isSome(names: Fqdn[]): names is [Fqdn, ...Fqdn[]] {
  return names.length > 0;
}

/** Names of the cluster for the apps of the laptop; all other names as the host's own nameservers answer them. */
export type { AppAddresses } from "./app_addresses.ts";
export { type Dns, type DnsOptions, type DnsStats, startDns } from "./dns.ts";
export type { Lookup } from "./cluster_resolver.ts";
export type { DnsCluster } from "./dns_cluster.ts";
export { Fqdn } from "./name.ts";
export {
  ownNameservers,
  parseResolvConf,
  type ResolvConf,
  resolvedFile,
} from "./edges/mod.ts";
export { type RoutingZones, routingZonesOf } from "./routing_zones.ts";
export type { Zones } from "./zones.ts";
export {
  type NameRules,
  type NameSettings,
  parseNameRules,
} from "./name_rules.ts";
export { isServedNamespace } from "./resolver.ts";

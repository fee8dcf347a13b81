import type { Ip } from "../net/mod.ts";
import type { AppAddresses } from "./app_addresses.ts";
import type { Lookup } from "./cluster_resolver.ts";
import type { Fqdn } from "./name.ts";
import type { Zones } from "./zones.ts";

/** A cluster whose names apps know. What is kept of its answers is kept for as long as this very object is given. */
export interface DnsCluster {
  /** A label: names that end in it are asked of this cluster alone. No name does when absent. */
  readonly name?: string;
  /** What is asked of it. Read at each query. */
  readonly zones: () => Zones;
  /** Asks its DNS. */
  readonly lookup: Lookup;
  /** By which addresses apps reach its own. By these themselves when absent. */
  readonly addresses?: AppAddresses;
  /** Awaited before an app is told its addresses of one of {@link Zones.proxied}. */
  readonly onProxied?: (name: Fqdn, ips: readonly Ip[]) => Promise<void>;
  /** How long it may take, with the wait for a turn. 10 s when absent: a lookup outlives a break of the tunnel. */
  readonly lookupTimeoutMs?: number;
  /** True while it is out of reach, so that others need not wait for it. Never when absent. */
  readonly isAway?: () => boolean;
}

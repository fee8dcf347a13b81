import type { Subnet } from "../net/mod.ts";
import type { NameRules } from "./name_rules.ts";

/** What the cluster's DNS is asked for. */
export interface Zones {
  /** As in `cluster.local`, without a final dot. */
  readonly clusterDomain: string;
  /** Namespaces whose services are known as `svc.ns`. */
  readonly namespaces: ReadonlySet<string>;
  /** Where a single label is a service: the first of these namespaces that has one. Not empty. */
  readonly search: readonly string[];
  /** The only namespaces whose names there are for this laptop. All when absent. */
  readonly mapped?: ReadonlySet<string>;
  /** Addresses that are inside the cluster, and whose reverse names are asked of it. None when absent. */
  readonly subnets?: readonly Subnet[];
  /** The only ones in {@link subnets} whose reverse names are asked of the cluster, as text. All when absent. */
  readonly mappedAddresses?: ReadonlySet<string>;
  /** Keys of names outside of the cluster that are asked of it first, since their addresses are reached through it. */
  readonly proxied?: ReadonlySet<string>;
  /** What the user says of names. Nothing when absent. */
  readonly rules?: NameRules;
}

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
  /** Addresses that are inside the cluster, and whose reverse names are asked of it. None when absent. */
  readonly subnets?: readonly Subnet[];
  /** What the user says of names. Nothing when absent. */
  readonly rules?: NameRules;
}

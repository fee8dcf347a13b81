import type { Subnet } from "../net/mod.ts";

/** What the cluster's DNS is asked for. */
export interface Zones {
  /** As in `cluster.local`, without a final dot. */
  readonly clusterDomain: string;
  /** Namespaces whose services are known as `svc.ns`. */
  readonly namespaces: ReadonlySet<string>;
  /** Where a single label is a service: the first of these namespaces that has one. Not empty. */
  readonly search: readonly string[];
  /** Addresses whose reverse names are asked of the cluster. None when absent. */
  readonly subnets?: readonly Subnet[];
}

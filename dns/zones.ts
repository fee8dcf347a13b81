import type { Subnet } from "../net/mod.ts";

/** What the cluster's DNS is asked for. */
export interface Zones {
  /** As in `cluster.local`, without a final dot. */
  readonly clusterDomain: string;
  /** Namespaces whose services are known as `svc.ns`. */
  readonly namespaces: ReadonlySet<string>;
  /** The connection's namespace: a single label is a service in it. */
  readonly namespace: string;
  /** Addresses whose reverse names are asked of the cluster. None when absent. */
  readonly subnets?: readonly Subnet[];
}

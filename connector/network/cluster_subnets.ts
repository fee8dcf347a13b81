import type { World } from "../../manager/api.ts";
import type { Subnet } from "../../net/mod.ts";

type Subnets = Pick<World, "serviceSubnets" | "podSubnets">;

/**
 * What of its own a cluster is reached by: not what the user leaves to the host as a whole, however narrow the cluster has
 * cut it (pods have a subnet for each node).
 */
export function clusterSubnets(
  { serviceSubnets, podSubnets }: Subnets,
  never: readonly Subnet[],
): { serviceSubnets: Subnet[]; podSubnets: Subnet[] } {
  const isLeft = (own: Subnet) => !never.some((one) => one.covers(own));
  return {
    serviceSubnets: serviceSubnets.filter(isLeft),
    podSubnets: podSubnets.filter(isLeft),
  };
}

import { type Ip, joinSubnets, Subnet } from "../net/mod.ts";

/** What a node says of itself. */
export interface NodeFacts {
  /** Where its pods live; empty when the node does not tell. */
  readonly podSubnets: readonly Subnet[];
  readonly addresses: readonly Ip[];
}

/** How many addresses around a pod's are taken for pods' too, as prefix lengths. */
const blockPrefix = { 4: 24, 6: 64 } as const;

/**
 * Where pods live by what the nodes say, or `undefined` when that can not be relied on: a node says nothing, or this
 * very pod lives elsewhere, as where a network plugin gives addresses by its own book.
 */
export function podSubnetsOfNodes(
  nodes: readonly NodeFacts[],
  ownAddresses: readonly Ip[],
): Subnet[] | undefined {
  const subnets = nodes.flatMap((node) => node.podSubnets);
  const isWhole = nodes.every((node) => node.podSubnets.length > 0) &&
    ownAddresses.every((own) => subnets.some((subnet) => subnet.contains(own)));
  return nodes.length > 0 && isWhole ? joinSubnets(subnets) : undefined;
}

/** What is taken for pods' around the address of one: 256 addresses of IPv4, a /64 of IPv6. */
export function podBlock(ip: Ip): Subnet {
  return new Subnet(ip, blockPrefix[ip.family]);
}

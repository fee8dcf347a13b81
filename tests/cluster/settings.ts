/** The numbers and names of the test bed: versions, addresses, namespaces. Everything else derives from these. */

/** The Kubernetes release that `hyperkube/go.mod` names. */
export const kubernetesVersion = { major: 1, minor: 36, patch: 2 } as const;

/** Service and pod ranges of the cluster, IPv4 and IPv6. */
export const ranges = {
  services: { ipv4: "10.96.0.0/16", ipv6: "fd00:96::/112" },
  pods: { ipv4: "10.244.0.0/16", ipv6: "fd00:244::/56" },
} as const;

/** Where the API server answers: the only address of the cluster that a laptop can reach. */
export const apiServer = {
  ipv4: "10.99.0.2",
  ipv6: "fd00:99::2",
  port: 6443,
} as const;

/** First address of the service range: the API server as pods see it. */
export const apiServerService = "10.96.0.1";

/** The cluster's DNS Service. */
export const clusterDns = "10.96.0.10";

export const clusterDomain = "cluster.local";

/** The host's end of the link to the first node. */
export const hostLink = {
  name: "tp-bed",
  ipv4: "10.99.0.1",
  ipv6: "fd00:99::1",
} as const;

/** The link between the two nodes, seen from the first one. */
export const peerLink = {
  name: "peer",
  ipv4: "10.98.0.1",
  ipv6: "fd00:98::1",
} as const;

/**
 * How TCP sends in the namespaces of the bed and its laptops, whatever the host has chosen: BBR, which some have, holds
 * even a loopback to a quarter of what it can. Reno is as quick there as Linux's own choice, and what a namespace may
 * always have.
 */
export const congestionControl = "net.ipv4.tcp_congestion_control=reno";

export const maxNodes = 2;

/** One node of the bed. */
export interface NodeSettings {
  /** As the API server knows it. */
  readonly name: string;
  /** Network namespace, below /run/netns. */
  readonly netns: string;
  /** The node's own addresses. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** What its pods get their addresses from. */
  readonly pods: { readonly ipv4: string; readonly ipv6: string };
  /** Path of its cgroup in every hierarchy. */
  readonly cgroup: string;
}

/** @param index 1 or 2; the controller manager hands out pod ranges in this order. */
export function nodeSettings(index: number): NodeSettings {
  return {
    name: `node${index}`,
    netns: `tp-node${index}`,
    ipv4: index === 1 ? apiServer.ipv4 : "10.98.0.2",
    ipv6: index === 1 ? apiServer.ipv6 : "fd00:98::2",
    pods: {
      ipv4: `10.244.${index - 1}.0/24`,
      ipv6: index === 1 ? "fd00:244::/64" : `fd00:244:0:${index - 1}::/64`,
    },
    cgroup: `/tp-node${index}`,
  };
}

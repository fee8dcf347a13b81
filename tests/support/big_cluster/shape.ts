/** How large a cluster is, and where its pods live. */
export interface Shape {
  readonly namespaces: number;
  readonly services: number;
  readonly pods: number;
  readonly nodes: number;
  /** Whether the nodes tell where pods live; without, pods are all over 10.128.0.0/12, as some plugins give addresses. */
  readonly nodesTellPods: boolean;
}

/** What the product must bear. */
export const large: Shape = {
  namespaces: 1_000,
  services: 10_000,
  pods: 20_000,
  nodes: 1_000,
  nodesTellPods: true,
};

/** A cluster of a `part` of that. */
export function scaled(shape: Shape, part: number): Shape {
  const some = (count: number) => Math.max(1, Math.round(count * part));
  return {
    namespaces: some(shape.namespaces),
    services: some(shape.services),
    pods: some(shape.pods),
    nodes: some(shape.nodes),
    nodesTellPods: shape.nodesTellPods,
  };
}

/** Where the cluster's own parts are; its services and pods are all over 10.0.0.0/8. */
export const places = {
  services: "10.96.0.0/14",
  /** The cluster's DNS, as pods know it. */
  dns: "10.96.0.10",
  /** The manager's pod, on the first node. */
  manager: "10.64.0.2",
  managerNamespace: "ambassador",
  /** Where laptops reach the API server. */
  apiServer: { host: "203.0.113.10", port: 6443 },
} as const;

export function namespaceName(n: number): string {
  return n === 0 ? places.managerNamespace : `team-${n}-staging`;
}

export function serviceAddress(n: number): string {
  return ipv4(10, 96 * 65_536 + 256 + n);
}

export function podAddress(n: number, shape: Shape): string {
  if (!shape.nodesTellPods) return ipv4(10, 128 * 65_536 + scattered(n));
  const [node, seat] = [n % shape.nodes, Math.floor(n / shape.nodes)];
  return ipv4(10, 64 * 65_536 + node * 256 + 3 + seat % 250);
}

/** The subnet of a node's pods. */
export function nodeSubnet(n: number): string {
  return `${ipv4(10, 64 * 65_536 + n * 256)}/24`;
}

export function nodeAddress(n: number): string {
  return ipv4(10, 32 * 65_536 + 10 + n);
}

/** A number below 2^20 that looks like chance (the last steps of MurmurHash3). */
function scattered(n: number): number {
  let hash = Math.imul(n ^ n >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) & 0xfffff;
}

function ipv4(first: number, rest: number): string {
  return [first, rest >>> 16 & 255, rest >>> 8 & 255, rest & 255].join(".");
}

import { type Endpoint, Ip, joinSubnets, Subnet } from "../net/mod.ts";
import type {
  EndpointSlice,
  KubernetesObject,
  Node,
  Pod,
  Service,
  ServiceCidr,
} from "../k8s/mod.ts";
import type { LeashFacts } from "./leash.ts";
import { type NodeFacts, podBlock, podSubnetsOfNodes } from "./pod_subnets.ts";
import type { PodResolvConf } from "./pod_resolv_conf.ts";
import type { Settings } from "./settings.ts";
import type { World } from "./world.ts";

/** What is known of the cluster. A field is `undefined` until its source has spoken. */
export interface ClusterState {
  readonly namespaces?: readonly string[];
  /** `null`: the nodes can not be seen. */
  readonly nodes?: readonly NodeFacts[] | null;
  /** What is around pods; known only where the nodes do not tell where pods live. */
  readonly podBlocks?: readonly Subnet[];
  readonly serviceSubnets?: readonly Subnet[];
  readonly apiServers?: readonly Endpoint[];
}

/** What this process is in the cluster. */
export interface Self {
  readonly settings: Settings;
  readonly resolvConf: PodResolvConf;
  readonly version: string;
}

/** The view for laptops; `undefined` while a part is missing, of what the leash must know too. */
export function assembleWorld(
  state: ClusterState,
  { settings, resolvConf, version }: Self,
): World | undefined {
  const { namespaces, serviceSubnets, apiServers } = state;
  const podSubnets = podSubnetsOf(state, settings.ownAddresses);
  if (!namespaces || !serviceSubnets || !podSubnets || !apiServers) {
    return undefined;
  }
  const { clusterDomain, nameservers: [nameserver] } = resolvConf;
  return {
    clusterDomain,
    namespaces: [...namespaces].sort(),
    serviceSubnets: joinSubnets(serviceSubnets),
    podSubnets,
    nameserver,
    version,
  };
}

/** True when it is clear that the nodes do not tell where pods live. */
export function needsPods(
  { nodes }: ClusterState,
  { settings }: Self,
): boolean {
  return nodes !== undefined &&
    podSubnetsOfNodes(nodes ?? [], settings.ownAddresses) === undefined;
}

function podSubnetsOf(
  { nodes, podBlocks }: ClusterState,
  own: readonly Ip[],
): Subnet[] | undefined {
  if (nodes === undefined) return undefined;
  return podSubnetsOfNodes(nodes ?? [], own) ??
    (podBlocks && joinSubnets([...podBlocks, ...own.map(podBlock)]));
}

export function assembleLeashFacts(
  { nodes, apiServers }: ClusterState,
  { settings }: Self,
): LeashFacts {
  return {
    ownAddresses: settings.ownAddresses,
    exemptions: settings.exemptions,
    nodeAddresses: nodes
      ? new Set(nodes.flatMap((node) => node.addresses.map(String)))
      : undefined,
    apiServers,
  };
}

/** Also of a namespace that is going away: its services still answer. */
export function namesOf({ metadata: { name } }: KubernetesObject): string[] {
  return name === undefined ? [] : [name];
}

export function nodeFactsOf({ spec = {}, status = {} }: Node): NodeFacts[] {
  const { podCIDR, podCIDRs = podCIDR ? [podCIDR] : [] } = spec;
  return [{
    podSubnets: subnetsOf(podCIDRs),
    addresses: ipsOf((status.addresses ?? []).map((one) => one.address)),
  }];
}

/** What is around the addresses that are the pod's own. */
export function podBlocksOf(pod: Pod): Subnet[] {
  return addressesOfPod(pod).map(podBlock);
}

export function serviceSubnetsOf({ spec }: ServiceCidr): Subnet[] {
  return subnetsOf(spec?.cidrs ?? []);
}

/** None of a headless Service, and none of one that stands for a name. */
export function addressesOfService({ spec = {} }: Service): Ip[] {
  const { clusterIP = "", clusterIPs = [clusterIP] } = spec;
  return ipsOf(clusterIPs);
}

/** Those that are the pod's own. */
export function addressesOfPod({ spec, status = {} }: Pod): Ip[] {
  const isOver = status.phase === "Succeeded" || status.phase === "Failed";
  if (spec?.hostNetwork || isOver) return [];
  return ipsOf((status.podIPs ?? []).map((one) => one.ip));
}

export function apiServersOf(slice: EndpointSlice): Endpoint[] {
  const { endpoints = [], ports = [] } = slice;
  return ipsOf(endpoints.flatMap((one) => one.addresses)).flatMap((ip) =>
    ports.flatMap(({ port }) => port === undefined ? [] : { ip, port })
  );
}

/** Host names among a node's addresses, and what a later release may bring, are passed over. */
function ipsOf(texts: readonly string[]): Ip[] {
  return texts.flatMap((text) => Ip.tryParse(text) ?? []);
}

function subnetsOf(texts: readonly string[]): Subnet[] {
  return texts.flatMap((text) => {
    try {
      return Subnet.parse(text);
    } catch {
      return [];
    }
  });
}

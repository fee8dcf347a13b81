import { type Endpoint, formatEndpoint, Ip, Subnet } from "../net/mod.ts";
import { type Exemption, isExempt } from "./exemption.ts";

/** What the leash must know to hold. */
export interface LeashFacts {
  /** Addresses of the manager's own pod. */
  readonly ownAddresses: readonly Ip[];
  /** Addresses of the cluster's nodes; `undefined` while they are not known. */
  readonly nodeAddresses: ReadonlySet<string> | undefined;
  /** Where the API server itself listens, not its Service; `undefined` while that is not known. */
  readonly apiServers: readonly Endpoint[] | undefined;
  /** Where an admin lets the manager go all the same. */
  readonly exemptions: readonly Exemption[];
}

/** Where cloud providers hand out a node's credentials, besides the link-local address that most share. */
const metadataAddresses = [
  "100.100.100.200", // Alibaba Cloud
  "168.63.129.16", // Azure, the host agent
  "192.0.0.192", // Oracle Cloud, classic
  "fd00:ec2::254", // AWS
  "fd20:ce::254", // Google Cloud
].map((text) => Subnet.parse(text));

const thisHost = Subnet.parse("0.0.0.0/8");

/** Prefixes under which an IPv6 address stands for the IPv4 address in its last 32 bits: mapped, and NAT64 (RFC 6052). */
const embeddings = ["::ffff:0:0/96", "64:ff9b::/96"].map((text) =>
  Subnet.parse(text)
);

/** Kubelet, its read-only port, its health and kube-proxy's metrics and health. */
const nodePorts: ReadonlySet<number> = new Set([
  10248,
  10249,
  10250,
  10255,
  10256,
]);

/**
 * Says why the manager does not go to `to`, or `undefined` when it may go there as any pod may. Pure.
 *
 * Its own pod, loopback and what is not one host are closed for good; metadata, link-local addresses and the ports of
 * nodes unless exempt.
 */
export function whyForbidden(
  to: Endpoint,
  facts: LeashFacts,
): string | undefined {
  const { port } = to;
  const ip = withoutDress(to.ip);
  const where = formatEndpoint(ip, port);
  if (ip.isLoopback) return `${where} is the manager's own loopback`;
  if (ip.isUnspecified || thisHost.contains(ip)) {
    return `${where} is no host's address`;
  }
  if (ip.isMulticastOrBroadcast) return `${where} is not one host's address`;
  if (facts.ownAddresses.some((own) => own.equals(ip))) {
    return `${where} is the manager itself`;
  }
  if (isExempt(facts.exemptions, { ip, port })) return undefined;
  if (ip.isLinkLocal || metadataAddresses.some((one) => one.contains(ip))) {
    return `${where} belongs to the manager's node, not to the cluster`;
  }
  return whyNodePort({ ip, port }, facts);
}

function whyNodePort(
  { ip, port }: Endpoint,
  { nodeAddresses, apiServers }: LeashFacts,
): string | undefined {
  const where = formatEndpoint(ip, port);
  if (nodePorts.has(port) && (nodeAddresses?.has(String(ip)) ?? true)) {
    return nodeAddresses
      ? `${where} is a port of a node's kubelet or proxy`
      : `${where} may be a port of a node: the manager does not know the nodes`;
  }
  const isApiServer = apiServers?.some((one) =>
    one.port === port && one.ip.equals(ip)
  );
  if (isApiServer) return `${where} is the API server itself, not its Service`;
  return undefined;
}

/** The IPv4 address that an IPv6 one stands for, if it does. */
export function withoutDress(ip: Ip): Ip {
  return embeddings.some((prefix) => prefix.contains(ip))
    ? Ip.of(ip.bytes.subarray(12))
    : ip;
}

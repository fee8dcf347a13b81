import { Ip, Subnet } from "../net/mod.ts";

/** What the manager sees of the cluster. */
export interface World {
  /** As in `cluster.local`, without a final dot. */
  readonly clusterDomain: string;
  /** In the order of the alphabet. */
  readonly namespaces: readonly string[];
  /** Where Services have their addresses. */
  readonly serviceSubnets: readonly Subnet[];
  /** Where pods have their addresses. */
  readonly podSubnets: readonly Subnet[];
  /** The cluster's DNS as the manager's pod knows it. */
  readonly nameserver: Ip;
  /** Release of the manager. */
  readonly version: string;
}

/** Writes a world as one line of JSON, without its end. */
export function formatWorld(world: World): string {
  return JSON.stringify(world);
}

/**
 * Reads a line of {@link formatWorld}. Fields that this release does not know are passed over.
 *
 * @throws {SyntaxError} when the line is no world.
 */
export function parseWorld(line: string): World {
  const value = JSON.parse(line);
  return {
    clusterDomain: domain(value?.clusterDomain),
    namespaces: list(value?.namespaces).map(label),
    serviceSubnets: list(value?.serviceSubnets).map(text).map(Subnet.parse),
    podSubnets: list(value?.podSubnets).map(text).map(Subnet.parse),
    nameserver: Ip.parse(text(value?.nameserver)),
    version: text(value?.version),
  };
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new SyntaxError(`Cannot parse world: ${typeof value} in place of text`);
}

const labelPattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;
/** Leaves room for a service, a namespace and `svc` before it. */
const maxDomainLength = 120;

/** A name as Kubernetes gives it (RFC 1123): laptops build names of DNS with it. */
function label(value: unknown): string {
  const name = text(value);
  if (labelPattern.test(name)) return name;
  throw new SyntaxError(`Cannot parse world: "${name}" is no name`);
}

function domain(value: unknown): string {
  const name = text(value);
  if (name.length <= maxDomainLength) {
    return name.split(".").map(label).join(".");
  }
  throw new SyntaxError(`Cannot parse world: "${name}" is too long`);
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new SyntaxError(
    `Cannot parse world: ${typeof value} in place of a list`,
  );
}

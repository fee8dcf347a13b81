/** Where an agent may dial for an intercept of the mode `proxy-via`. Pure. */
import { type Ip, Subnet } from "../net/mod.ts";
import { withoutDress } from "./leash.ts";

const thisHost = Subnet.parse("0.0.0.0/8");

/**
 * Says why an agent does not dial `ip` for an intercept with these subnets, or `undefined` when it does.
 *
 * What is the pod's or its node's alone, loopback and link-local addresses, no wide subnet means: one that lies in theirs must
 * say so. What is no subnet means nothing.
 */
export function whyNotVia(
  ip: Ip,
  subnets: readonly string[] = [],
): string | undefined {
  const bare = withoutDress(ip);
  if (
    bare.isUnspecified || bare.isMulticastOrBroadcast || thisHost.contains(bare)
  ) {
    return `${ip} is not one host's address`;
  }
  const meaning = subnets.flatMap((text) => subnetOf(text))
    .filter((subnet) => subnet.contains(ip));
  if (meaning.length === 0) return `${ip} is not of the intercept's subnets`;
  if (!isInside(bare) || meaning.some(liesInside)) return undefined;
  return `${ip} is the pod's or its node's alone, and not meant by name`;
}

function isInside(ip: Ip): boolean {
  return ip.isLoopback || ip.isLinkLocal;
}

/** Its first address and its last. */
function liesInside(subnet: Subnet): boolean {
  const { base, prefix } = subnet;
  const last = subnet.at((1n << BigInt(base.bits - prefix)) - 1n);
  return [base, last].every((ip) => isInside(withoutDress(ip)));
}

function subnetOf(text: string): Subnet[] {
  try {
    return [Subnet.parse(text)];
  } catch {
    return [];
  }
}

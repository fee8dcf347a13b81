import type { DirectEndpoint } from "../../manager/client.ts";
import { type Ip, RefusedError, Subnet } from "../../net/mod.ts";
import { hostAddresses } from "../network/host_addresses.ts";

/** Of a name that has more, the others are not tried. */
const maxAddresses = 8;

/** Written as IPv6, these reach what the IPv4 address in them does, this laptop included. */
const mapped = Subnet.parse("::ffff:0:0/96");

/**
 * Where the manager's direct endpoint is; nowhere when its name does not resolve.
 *
 * @throws {RefusedError} `forbidden` when it is an address that only this laptop or its link knows (loopback, link-local,
 * multicast): what a cluster tells is not to make a laptop speak to these.
 */
export async function directAddresses(
  { host }: Pick<DirectEndpoint, "host">,
): Promise<Ip[]> {
  const addresses = (await hostAddresses(host)).slice(0, maxAddresses);
  const closed = addresses.find(isClosed);
  if (closed === undefined) return addresses;
  const state = `${closed} means this laptop or its own link`;
  throw new RefusedError("forbidden", `Cannot go to "${host}": ${state}`);
}

function isClosed(ip: Ip): boolean {
  return ip.isLoopback || ip.isUnspecified || ip.isLinkLocal ||
    ip.isMulticastOrBroadcast || mapped.contains(ip);
}

import { Ip, Subnet } from "../net/mod.ts";

/** Tries to create a Service with an address of its own choice, without effect. Gives what the API server says to it. */
export type TryService = (
  service: { clusterIP: string; ipFamily: "IPv4" | "IPv6" },
) => Promise<string>;

/** Addresses in which no cluster has its Services. */
const impossible = [
  { clusterIP: "1.1.1.1", ipFamily: "IPv4" },
  { clusterIP: "1::1", ipFamily: "IPv6" },
] as const;

/**
 * Finds out where Services have their addresses, of an API server that has no ServiceCIDR objects: it names the range
 * when it turns an address down. A family that the cluster does not have gives none.
 */
export async function askServiceRanges(
  tryService: TryService,
): Promise<Subnet[]> {
  const ranges: Subnet[] = [];
  for (const service of impossible) {
    const range = serviceRangeInError(await tryService(service));
    if (range?.family === Ip.parse(service.clusterIP).family) {
      ranges.push(range);
    }
  }
  return ranges;
}

/**
 * Finds the range in what the API server says, as in: `failed to allocate IP 1.1.1.1: the provided IP (1.1.1.1) is not
 * in the valid range. The range of valid IPs is 10.96.0.0/16`.
 *
 * @returns `undefined` when it says no range.
 */
export function serviceRangeInError(message: string): Subnet | undefined {
  const match = /range of valid IPs is ([0-9a-f.:]+\/\d+)/i.exec(message);
  if (match === null) return undefined;
  try {
    return Subnet.parse(match[1]!);
  } catch {
    return undefined;
  }
}

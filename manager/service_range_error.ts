import { Subnet } from "../net/mod.ts";

/**
 * Finds the range of Service addresses in what the API server says to a Service that asks for an impossible address,
 * as in: `failed to allocate IP 1.1.1.1: the provided IP (1.1.1.1) is not in the valid range. The range of valid IPs is
 * 10.96.0.0/16`.
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

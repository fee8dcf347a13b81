import { Ip } from "../net/mod.ts";
import type { Fqdn } from "./name.ts";

/**
 * The address that a reverse name stands for: `1.0.96.10.in-addr.arpa` (RFC 1035 section 3.5) or 32 nibbles under
 * `ip6.arpa` (RFC 3596 section 2.5). `undefined` for every other name.
 */
export function addressOfReverseName(name: Fqdn): Ip | undefined {
  const labels = name.labels.map((label) => label.toLowerCase());
  if (labels.pop() !== "arpa") return undefined;
  const kind = labels.pop();
  const digits = labels.reverse();
  if (kind === "in-addr" && digits.length === 4) {
    return Ip.tryParse(digits.join("."));
  }
  if (kind !== "ip6" || digits.length !== 32) return undefined;
  if (!digits.every((digit) => /^[0-9a-f]$/.test(digit))) return undefined;
  return Ip.fromBigInt(BigInt(`0x${digits.join("")}`), 6);
}

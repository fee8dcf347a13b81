import { Ip } from "../net/mod.ts";
import { Fqdn } from "./name.ts";

/**
 * The address that a reverse name stands for: `1.0.96.10.in-addr.arpa` (RFC 1035 section 3.5) or 32 nibbles under
 * `ip6.arpa` (RFC 3596 section 2.5). `undefined` for every other name.
 */
export function addressOfReverseName(name: Fqdn): Ip | undefined {
  if (name.topLabel !== "arpa") return undefined;
  const labels = name.labels.map((label) => label.toLowerCase());
  labels.pop();
  const kind = labels.pop();
  const digits = labels.reverse();
  if (kind === "in-addr" && digits.length === 4) {
    return Ip.tryParse(digits.join("."));
  }
  if (kind !== "ip6" || digits.length !== 32) return undefined;
  if (!digits.every((digit) => /^[0-9a-f]$/.test(digit))) return undefined;
  return Ip.fromBigInt(BigInt(`0x${digits.join("")}`), 6);
}

/** The name that stands for `ip`, as {@link addressOfReverseName} reads it. */
export function reverseNameOf(ip: Ip): Fqdn {
  const labels = ip.family === 4
    ? [...ip.bytes].reverse().map(String)
    : [...ip.bytes].reverse().flatMap((octet) =>
      [octet & 15, octet >> 4].map((nibble) => nibble.toString(16))
    );
  const zone = ip.family === 4 ? "in-addr.arpa" : "ip6.arpa";
  return Fqdn.parse(`${labels.join(".")}.${zone}`);
}

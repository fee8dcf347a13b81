import type { Subnet } from "../../net/mod.ts";

/** How reverse names of a family are made (RFC 1035 section 3.5, RFC 3596 section 2.5). */
const families = {
  4: { labelBits: 8, radix: 10, top: "in-addr.arpa" },
  6: { labelBits: 4, radix: 16, top: "ip6.arpa" },
} as const;

/**
 * Zones that hold the reverse names of all addresses of `subnets`: `96.10.in-addr.arpa` and its fifteen neighbours for
 * `10.96.0.0/12`. While they are more than `max`, wider ones stand for several; one label is the widest, and what does not
 * fit even so is left out.
 */
export function reverseZones(
  subnets: readonly Subnet[],
  max: number,
): string[] {
  let zones: string[] = [];
  for (let dropped = 0; dropped < 32; dropped++) {
    zones = [...new Set(subnets.flatMap((one) => zonesOf(one, dropped)))];
    if (zones.length <= max) break;
  }
  return zones.slice(0, max);
}

/** `dropped`: how many labels less than the subnet fills. */
function zonesOf({ base, prefix, family }: Subnet, dropped: number): string[] {
  const { labelBits, radix, top } = families[family];
  const full = Math.max(1, Math.ceil(prefix / labelBits) - dropped);
  const digits = [...base.bytes].flatMap((octet) =>
    family === 4 ? [octet] : [octet >> 4, octet & 15]
  ).slice(0, full);
  // Bits of the last label that the prefix leaves open: each of their values is a zone.
  const open = Math.max(0, full * labelBits - prefix);
  const last = digits.pop()!;
  return Array.from(
    { length: 1 << open },
    (_, n) =>
      [...digits, last + n].map((digit) => digit.toString(radix))
        .reverse().join(".") + `.${top}`,
  );
}

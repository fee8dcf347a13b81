/** Where virtual addresses are taken from. Pure. */
import { Subnet } from "../net/mod.ts";

/**
 * IPv4: benchmarking addresses (RFC 2544); then the former class E, which Linux takes for plain addresses and networks
 * never use; then private ones. IPv6: unique local ones beside those of the device, then benchmarking addresses
 * (RFC 5180).
 */
const homes = {
  4: ["198.18.0.0/15", "246.246.0.0/16", "172.16.0.0/12", "10.0.0.0/8"],
  6: ["fd74:705f:6b3e:8000::/49", "2001:2::/48"],
};

/** More addresses than a person's laptop asks for, in as much memory as it has to spare. */
const maxBits = 16;
const minBits = 8;
/** So that a crowded host costs no time: as many places as there are to look at. */
const maxCandidates = 4096;

/** The length of prefix of a range that has room for as many addresses as `subnets` hold, within reason. */
export function virtualPrefix(
  subnets: readonly Subnet[],
  family: 4 | 6,
): number {
  const bits = family === 4 ? 32 : 128;
  let needed = 2n;
  for (const { prefix } of subnets) needed += 1n << BigInt(bits - prefix);
  const neededBits = (needed - 1n).toString(2).length;
  return bits - Math.min(maxBits, Math.max(minBits, neededBits));
}

/** The first range of that size that overlaps nothing of `taken`; `undefined` when all of them do. */
export function pickVirtualRange(
  { family, prefix, taken }: {
    family: 4 | 6;
    prefix: number;
    taken: readonly Subnet[];
  },
): Subnet | undefined {
  // Whoever has IPv6 addresses has the 2^64 around them.
  const place = Math.min(prefix, family === 4 ? 32 : 64);
  for (const home of homes[family].map(Subnet.parse)) {
    const near = taken.filter((subnet) => subnet.overlaps(home));
    const step = 1n << BigInt(home.base.bits - place);
    const places = 2n ** BigInt(Math.max(0, place - home.prefix));
    for (let i = 0; i < maxCandidates && BigInt(i) < places; i++) {
      const candidate = new Subnet(home.at(BigInt(i) * step), prefix);
      if (!near.some((subnet) => subnet.overlaps(candidate))) return candidate;
    }
  }
  return undefined;
}

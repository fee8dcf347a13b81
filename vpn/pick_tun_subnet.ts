import { Subnet } from "../net/mod.ts";
import type { HostRoute } from "./host_route.ts";

/**
 * Where the device's subnet may be. IPv4: benchmarking addresses (RFC 2544), which no network uses but other tunnels
 * like too; then corners of private ranges. IPv6: unique local ones of a random prefix (RFC 4193).
 */
const homes = {
  4: ["198.18.0.0/22", "198.19.252.0/22", "172.31.252.0/22", "10.254.252.0/22"],
  6: ["fd74:705f:6b3e::/57"],
};
const prefixes = { 4: 29, 6: 64 };

/**
 * The subnet of the TUN device: the first that overlaps no route of the host. Default routes do not count, in one piece
 * or, as tunnels like to have them, in two.
 *
 * @throws {RangeError} when all are taken.
 */
export function pickTunSubnet(hostRoutes: HostRoute[], family: 4 | 6): Subnet {
  const taken = hostRoutes.map((route) => route.subnet)
    .filter((subnet) => subnet.prefix > 1);
  const free = candidates(family).find((candidate) =>
    !taken.some((subnet) => subnet.overlaps(candidate))
  );
  if (free) return free;
  throw new RangeError(
    `Cannot find a subnet for the device: the host routes all of ${
      homes[family].join(", ")
    }`,
  );
}

function candidates(family: 4 | 6): Subnet[] {
  const prefix = prefixes[family];
  return homes[family].map(Subnet.parse).flatMap((home) => {
    const step = 1n << BigInt(home.base.bits - prefix);
    return Array.from(
      { length: 1 << prefix - home.prefix },
      (_, i) => new Subnet(home.at(BigInt(i) * step), prefix),
    );
  });
}

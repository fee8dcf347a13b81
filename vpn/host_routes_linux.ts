/** The host's routes on Linux: below /proc/net, and what is not there, by netlink. */
import { Ip, Subnet } from "../net/mod.ts";
import { type HostRoute, withLinks } from "./host_route.ts";
import { ruledRoutesV4 } from "./ruled_routes_linux.ts";

const rtfUp = 0x1;
const rtfGateway = 0x2;
const rtfReject = 0x200;
const rtfAdvertised = 0x40000; // RTF_ADDRCONF
const rtfLocal = 0x80000000;

/**
 * Routes of the main table and of those that rules lead to, which some VPNs have for themselves. A family that the host
 * does not have has none.
 */
export async function readLinuxRoutes(): Promise<HostRoute[]> {
  const read = (path: string) => Deno.readTextFile(path).catch(() => "");
  const [v4, v6] = await Promise.all([
    read("/proc/net/route"),
    read("/proc/net/ipv6_route"),
  ]);
  return withLinks([
    ...parseRoutesV4(v4),
    ...parseRoutesV6(v6),
    ...ruledRoutesV4(),
  ]);
}

/**
 * Reads `/proc/net/route`: a heading, then a line for each route with addresses as words of this machine. It does not
 * tell what is on a link.
 */
export function parseRoutesV4(text: string): HostRoute[] {
  return text.trim().split("\n").slice(1).flatMap((line) => {
    const [device, destination, gateway, flagsText, , , metric, mask] = line
      .trim().split(/\s+/);
    const flags = parseInt(flagsText ?? "", 16);
    if (mask === undefined || !(flags & rtfUp) || flags & rtfReject) return [];
    const prefix = [...wordOf(mask)].reduce(
      (bits, octet) => bits + octet.toString(2).replaceAll("0", "").length,
      0,
    );
    return [{
      subnet: new Subnet(Ip.of(wordOf(destination!)), prefix),
      device: device!,
      onLink: false,
      metric: Number(metric),
      ...flags & rtfGateway ? { gateway: Ip.of(wordOf(gateway!)) } : {},
    }];
  });
}

/** Every interface has them for itself, link-local and multicast: no way to anybody else's subnet. */
const ofEachLink = /^(fe80|ff00)0{28} /;

/**
 * Reads `/proc/net/ipv6_route`: destination, prefix, source, prefix, next hop, metric, two counters, flags, device. What
 * each link has is left out.
 */
export function parseRoutesV6(text: string): HostRoute[] {
  return text.trim().split("\n").flatMap((line) => {
    const [destination, prefix, , , gateway, metric, , , flagsText, device] =
      line.trim().split(/\s+/);
    const flags = parseInt(flagsText ?? "", 16);
    if (device === undefined || !(flags & rtfUp)) return [];
    if (ofEachLink.test(line)) return [];
    // Addresses of the host itself, and what is there to reject.
    if (flags >>> 0 & rtfLocal || flags & rtfReject) return [];
    return [{
      subnet: new Subnet(Ip.of(octetsOf(destination!)), parseInt(prefix!, 16)),
      device,
      // A router says that its link has the subnet, where the host may have no address.
      onLink: (flags & rtfAdvertised) !== 0 && !(flags & rtfGateway),
      metric: parseInt(metric!, 16),
      ...flags & rtfGateway ? { gateway: Ip.of(octetsOf(gateway!)) } : {},
    }];
  });
}

function octetsOf(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex);
}

/** A 32-bit word in hexadecimal, little-endian as on every machine that we run on. */
function wordOf(hex: string): Uint8Array {
  return octetsOf(hex).reverse();
}

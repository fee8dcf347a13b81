import type { TunSubnet } from "../daemon/client.ts";
import { pickTunSubnet, readHostRoutes } from "../vpn/mod.ts";
import { type Ip, Subnet } from "../net/mod.ts";

/** What the TUN device shall be like. */
export interface DevicePlan {
  v4: TunSubnet;
  /** Absent on a host without IPv6. */
  v6?: TunSubnet;
  /** Bytes of the largest packet; segmentation offload carries larger ones through the device. */
  mtu: number;
  /** The address that the host's resolver will ask, one for each family. */
  dnsAddresses: [Ip, ...Ip[]];
}

const mtu = 1500;

/** Chooses addresses that no route of this host covers. */
export async function planDevice(): Promise<DevicePlan> {
  const routes = await readHostRoutes();
  const v4 = pickTunSubnet(routes, 4);
  const v6 = await hasIpv6() ? pickTunSubnet(routes, 6) : undefined;
  return {
    v4: tunSubnet(v4),
    ...v6 ? { v6: tunSubnet(v6) } : {},
    mtu,
    dnsAddresses: [v4.at(3), ...v6 ? [v6.at(3)] : []],
  };
}

/** The first address is the laptop's, the second the peer that flows seem to come from, the third our DNS. */
function tunSubnet(subnet: Subnet): TunSubnet {
  return { subnet, laptop: subnet.at(1), peer: subnet.at(2) };
}

async function hasIpv6(): Promise<boolean> {
  try {
    const path = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
    return (await Deno.readTextFile(path)).trim() === "0";
  } catch {
    return false;
  }
}

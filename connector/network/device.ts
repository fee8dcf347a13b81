/** The TUN device of a connection: planned so that it takes nothing from the host, and opened by the daemon. */
import type {
  DaemonClient,
  DeviceInfo,
  TunSubnet,
} from "../../daemon/client.ts";
import { type Ip, Subnet } from "../../net/mod.ts";
import { pickTunSubnet, readHostRoutes } from "../../vpn/mod.ts";

/** A device that is open, and what its addresses are for. */
export interface Device extends DeviceInfo {
  /** The addresses that the host's resolver will ask, one for each family. */
  dnsAddresses: [Ip, ...Ip[]];
}

/** Bytes of the largest packet; segmentation offload carries larger ones through the device. */
const mtu = 1500;

/**
 * Chooses addresses that no route of this host covers, and has the daemon open a device with them.
 *
 * @throws {DaemonRefusalError}
 */
export async function openDevice(daemon: DaemonClient): Promise<Device> {
  const routes = await readHostRoutes();
  const v4 = pickTunSubnet(routes, 4);
  const v6 = await hasIpv6() ? pickTunSubnet(routes, 6) : undefined;
  const device = await daemon.openDevice({
    mtu,
    v4: tunSubnet(v4),
    ...v6 ? { v6: tunSubnet(v6) } : {},
  });
  return { ...device, dnsAddresses: [v4.at(3), ...v6 ? [v6.at(3)] : []] };
}

/** The first address is the laptop's, the second the peer that flows seem to come from, the third our DNS. */
function tunSubnet(subnet: Subnet): TunSubnet {
  return { subnet, laptop: subnet.at(1), peer: subnet.at(2) };
}

/** Whether this laptop has IPv6 at all. */
export async function hasIpv6(): Promise<boolean> {
  if (Deno.build.os === "darwin") return true;
  try {
    const path = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
    return (await Deno.readTextFile(path)).trim() === "0";
  } catch {
    return false;
  }
}

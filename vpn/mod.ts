/** Packets of the TUN device to streams and back, and the host's routes as any user sees them. */
export { startVpn, Vpn, type VpnOptions, type VpnStats } from "./vpn.ts";
export type { Dial, DialDatagrams, DialEchoes, DialOptions } from "./dial.ts";
export type { DeviceInfo, DevicePlan, TunSubnet } from "./device.ts";
export type { HostChanges } from "./host_changes.ts";
export { type HostRoute, isMeant } from "./host_route.ts";
export { openHostChanges, readHostRoutes } from "./os.ts";
export { openNamespaceDevice } from "./namespace_linux.ts";
export { pickTunSubnet } from "./pick_tun_subnet.ts";
export { pickVirtualRange, virtualPrefix } from "./pick_virtual_range.ts";
export {
  planSubnets,
  type ReasonedSubnet,
  type SubnetPlan,
  type SubnetsWanted,
} from "./plan_subnets.ts";

import type { Ip, Subnet } from "../../net/mod.ts";
import type { Status } from "../api.ts";
import type { Device } from "./device.ts";
import type { NetworkMember } from "./network_member.ts";
import type { Routed } from "./routes.ts";
import type { RangeUse } from "./virtual_addresses.ts";
import type { ZoneKeeper } from "./zone_keeper.ts";

/** What `tp status` tells of one connection's part in the host's network. */
export type MembershipStatus = Omit<
  NonNullable<Status["root_daemon"]>,
  "running" | "version"
>;

export interface MembershipPlace {
  device: Device;
  /** The host's own. */
  nameservers: readonly Ip[];
  resolver: ZoneKeeper["state"];
  /** Of the member. */
  routed: Routed;
  /** Of virtual addresses, for all members. */
  ranges: readonly RangeUse[];
  /** How many flows are open to an address in a subnet. */
  flowsTo: (subnet: Subnet) => number;
}

export function membershipStatus(
  member: NetworkMember,
  { device, nameservers, resolver, routed, ranges, flowsTo }: MembershipPlace,
): MembershipStatus {
  const { proxied } = member;
  const { edge, reason, refused } = resolver;
  const { routes, virtual, skipped } = routed;
  return {
    device: device.name,
    dns: {
      vif_address: device.dnsAddresses[0].toString(),
      edge,
      edge_reason: reason,
      refused_zones: [...refused],
      nameservers: nameservers.map(String),
      ...member.dnsStatus(),
    },
    subnets: routes.map(String),
    also_proxy_subnets: proxied.also.map(String),
    never_proxy_subnets: proxied.never.map(String),
    followed_names: proxied.followed,
    virtual_subnets: virtual.map(({ subnet, reason, since }) => ({
      subnet: String(subnet),
      ranges: ranges.map(({ range }) => range)
        .filter((range) => range.family === subnet.family).map(String),
      reason,
      since: since.toISOString(),
      stranded_flows: flowsTo(subnet),
    })),
    virtual_ranges: ranges.map(({ range, used, size }) => ({
      range: String(range),
      used,
      size,
    })),
    skipped_subnets: skipped.map(({ subnet, reason }) => ({
      subnet: String(subnet),
      reason,
    })),
  };
}

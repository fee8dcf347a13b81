/** Routes outside of the main table, by netlink(7): /proc/net has those of IPv6 only. Every user may ask. */
import { DeviceLibc } from "./_device_libc_linux.ts";
import { interfaceName } from "./_interface_name.ts";
import {
  decodeRoute,
  decodeRuleTable,
  dumpRequest,
  rtm,
} from "./_netlink_message.ts";
import type { HostRoute } from "./host_route.ts";
import { Netlink, NetlinkError } from "./netlink_linux.ts";

/**
 * IPv4 routes through a device in the tables that rules lead to. None where the kernel lets nobody ask, as in some
 * sandboxes. Without such rules, which most hosts do not have, no route is read.
 */
export function ruledRoutesV4(): HostRoute[] {
  using libc = new DeviceLibc();
  try {
    using netlink = new Netlink(libc);
    const body = dumpRequest(12);
    const rules = netlink.dump("list rules", { type: rtm.getRule, body });
    const tables = new Set(rules.map((rule) => decodeRuleTable(rule.body)));
    tables.delete(undefined);
    if (tables.size === 0) return [];
    return netlink.dump("list routes", { type: rtm.getRoute, body })
      .flatMap((message) => {
        const route = decodeRoute(message.body);
        if (!route || !tables.has(route.table)) return [];
        const { subnet, index, onLink, table } = route;
        const device = index === undefined
          ? ""
          : interfaceName(index, libc.call);
        return subnet.family === 4 && device
          ? [{ subnet, device, onLink, metric: 0, table }]
          : [];
      });
  } catch (error) {
    if (error instanceof NetlinkError) return [];
    throw error;
  }
}

/** The network of a namespace that nobody else is in: all of it is ours to set. */
import { Subnet } from "../net/mod.ts";
import { DeviceLibc } from "./_device_libc_linux.ts";
import { link, rtm } from "./_netlink_message.ts";
import type { DeviceInfo, DevicePlan } from "./device.ts";
import { openLinuxNetwork } from "./device_linux.ts";
import { Netlink } from "./netlink_linux.ts";

/** Of the loopback device, in every namespace. */
const loopbackIndex = 1;
const up = 1; // IFF_UP

/**
 * Sets loopback up, and opens a TUN device that everything else is routed to. Needs CAP_NET_ADMIN in the namespace.
 *
 * @throws {DeviceError | NetlinkError}
 */
export async function openNamespaceDevice(
  plan: DevicePlan,
): Promise<DeviceInfo> {
  setLoopbackUp();
  using edge = openLinuxNetwork();
  const device = await edge.openDevice(plan);
  try {
    const defaults = [[plan.v4, "0.0.0.0/0"], [plan.v6, "::/0"]] as const;
    for (const [family, everything] of defaults) {
      if (family === undefined) continue;
      const via = { index: device.index, source: family.laptop };
      edge.addRoute(Subnet.parse(everything), via);
    }
    return { ...plan, ...device };
  } catch (error) {
    edge.closeDescriptor(device.fd);
    throw error;
  }
}

function setLoopbackUp(): void {
  using libc = new DeviceLibc();
  using netlink = new Netlink(libc);
  const body = link(loopbackIndex, up);
  netlink.change("set the loopback device up", { type: rtm.newLink, body });
}

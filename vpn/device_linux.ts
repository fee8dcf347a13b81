/**
 * The TUN device on Linux: `/dev/net/tun` by FFI, addresses and routes by netlink, so that no process is started and
 * nothing has to be installed.
 */
import { cString, errnos, textOf } from "../libc/mod.ts";
import type { Ip, Subnet } from "../net/mod.ts";
import { DeviceLibc } from "./_device_libc_linux.ts";
import { interfaceName } from "./_interface_name.ts";
import {
  address,
  decodeAddress,
  decodeRoute,
  dumpRequest,
  link,
  linkUp,
  nlm,
  route,
  type RouteOptions,
  rtm,
} from "./_netlink_message.ts";
import {
  clusterMetric,
  DeviceError,
  type DeviceFailure,
  type DeviceName,
  type DevicePlan,
  type HostSubnets,
  type NetworkEdge,
  type TunSubnet,
  unreachableMetric,
} from "./device.ts";
import { Netlink, NetlinkError } from "./netlink_linux.ts";

const readWrite = 2 | 0x80000; // O_RDWR | O_CLOEXEC
const setInterface = 0x400454ca; // TUNSETIFF
const setOffload = 0x400454d0; // TUNSETOFFLOAD
/** IFF_TUN | IFF_NO_PI | IFF_VNET_HDR: plain IP packets behind a virtio-net header. */
const flags = 1 | 0x1000 | 0x4000;
/** TUN_F_CSUM | TSO4 | TSO6: the kernel leaves checksums out and hands over up to 64 KiB at once. */
const offload = 1 | 2 | 4;
/** TUN_F_USO4 | USO6, known since Linux 6.2. */
const datagramOffload = 0x20 | 0x40;

/**
 * How many packets may wait to be read. What finds no room is lost, and a lost query or SYN costs its app a second: the
 * queries of a thousand connections that are opened at once must fit, which the kernel's 500 do not.
 */
const queuePackets = 8192;

/** Metric of the route that the kernel itself sets to the subnet of an address: there are no two of them. */
const addressMetric = { 4: 0, 6: 256 } as const;

/** The host's network through the kernel. Needs CAP_NET_ADMIN. */
export function openLinuxNetwork(): NetworkEdge {
  return new LinuxNetwork();
}

class LinuxNetwork implements NetworkEdge {
  readonly #libc = new DeviceLibc();
  readonly #netlink = new Netlink(this.#libc);

  async openDevice(plan: DevicePlan): Promise<DeviceName & { fd: number }> {
    const fd = this.#openTun();
    try {
      const name = this.#attach(fd);
      const index = this.#libc.call.nameToIndex(cString(name));
      await hardenDevice(name, { v6: plan.v6 !== undefined });
      for (const family of [plan.v4, plan.v6]) {
        if (family === undefined) continue;
        this.#setAddress(family, { index });
      }
      this.#change(`set "${name}" up`, {
        type: rtm.newLink,
        body: linkUp(index, { mtu: plan.mtu, queuePackets }),
      });
      return { fd, name, index };
    } catch (error) {
      this.#libc.call.close(fd);
      throw error;
    }
  }

  closeDescriptor(fd: number): void {
    this.#libc.call.close(fd);
  }

  removeDevice({ name, index }: DeviceName): void {
    if (interfaceName(index, this.#libc.call) !== name) return;
    this.#change(`remove "${name}"`, {
      type: rtm.deleteLink,
      body: link(index),
    }, { fine: [errnos.ENODEV] });
  }

  restoreSubnet(own: TunSubnet, { index }: { index: number }): void {
    const fine = [errnos.EEXIST];
    this.#setAddress(own, { index, fine });
    const { subnet, laptop: source } = own;
    const metric = addressMetric[subnet.family];
    this.#setRoute({ subnet, index, source, metric }, { fine });
  }

  addRoute(subnet: Subnet, via: { index: number; source: Ip }): void {
    this.#setRoute({ subnet, ...via, metric: clusterMetric });
  }

  deleteRoute(subnet: Subnet, { index }: { index: number }): void {
    this.#change(`delete the route "${subnet}"`, {
      type: rtm.deleteRoute,
      body: route({ subnet, index }),
    }, { fine: [errnos.ESRCH, errnos.ENODEV] });
  }

  addUnreachable(subnet: Subnet): void {
    this.#setRoute({ subnet, metric: unreachableMetric }, {
      fine: [errnos.EEXIST],
    });
  }

  deleteUnreachable(subnet: Subnet): void {
    this.#change(`delete the route "${subnet}"`, {
      type: rtm.deleteRoute,
      body: route({ subnet, metric: unreachableMetric }),
    }, { fine: [errnos.ESRCH] });
  }

  hostSubnets(except?: number): HostSubnets {
    const addresses = this.#netlink.dump("list addresses", {
      type: rtm.getAddress,
      body: dumpRequest(8),
    }).map(({ body }) => decodeAddress(body));
    const routes = this.#netlink.dump("list routes", {
      type: rtm.getRoute,
      body: dumpRequest(12),
    }).map(({ body }) => decodeRoute(body)).filter((found) =>
      found !== undefined && found.index !== except
    );
    return {
      onLink: [
        ...addresses.filter((found) => found && found.index !== except),
        ...routes.filter((found) => found!.onLink),
      ].map((found) => found!.subnet),
      routed: routes.map((found) => found!.subnet),
    };
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
    this.#libc[Symbol.dispose]();
  }

  #openTun(): number {
    const fd = this.#libc.call.open(cString("/dev/net/tun"), readWrite);
    if (fd < 0) throw tunError('open "/dev/net/tun"', this.#libc.errno);
    return fd;
  }

  /** Makes the device of the next free name and returns that. */
  #attach(fd: number): string {
    const request = new Uint8Array(40); // struct ifreq: name[16], flags, padding
    request.set(cString("tp%d"));
    new DataView(request.buffer).setUint16(16, flags, true);
    const { call } = this.#libc;
    if (call.ioctl(fd, BigInt(setInterface), request) < 0) {
      throw tunError("make a TUN device", this.#libc.errno);
    }
    const accepted = [offload | datagramOffload, offload].some((wanted) =>
      call.ioctlValue(fd, BigInt(setOffload), BigInt(wanted)) === 0
    );
    if (!accepted) {
      throw tunError("set the offloads of the device", this.#libc.errno);
    }
    return textOf(request);
  }

  #setAddress(
    { laptop, subnet: { prefix } }: TunSubnet,
    { index, fine = [] }: { index: number; fine?: number[] },
  ): void {
    this.#change(`set the address "${laptop}"`, {
      type: rtm.newAddress,
      flags: nlm.create | nlm.exclusive,
      body: address(laptop, { prefix, index }),
    }, { fine });
  }

  #setRoute(
    options: RouteOptions,
    { fine = [] }: { fine?: number[] } = {},
  ): void {
    this.#change(`set the route "${options.subnet}"`, {
      type: rtm.newRoute,
      flags: nlm.create | nlm.exclusive,
      body: route(options),
    }, { fine });
  }

  #change(
    action: string,
    request: { type: number; flags?: number; body: Uint8Array },
    { fine = [] }: { fine?: number[] } = {},
  ): void {
    try {
      this.#netlink.change(action, request);
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      if (fine.includes(error.errno)) return;
      throw new DeviceError(failureOf(error.errno), error.message, {
        cause: error,
      });
    }
  }
}

/** What netlink's answer means. */
function failureOf(errno: number): DeviceFailure {
  if (errno === errnos.EEXIST) return "exists";
  return errno === errnos.EPERM ? "tun-denied" : "kernel";
}

function tunError(action: string, errno: number): DeviceError {
  const { ENOENT, ENODEV, ENXIO, EACCES, EPERM, EBUSY } = errnos;
  const text = `Cannot ${action}: errno ${errno}`;
  const is = (...numbers: number[]) => numbers.includes(errno);
  if (is(ENOENT, ENODEV, ENXIO)) return new DeviceError("tun-missing", text);
  if (is(EACCES, EPERM)) return new DeviceError("tun-denied", text);
  return new DeviceError(is(EBUSY) ? "tun-busy" : "kernel", text);
}

/**
 * Settings of the device before it is up. `rp_filter` 1 drops what the holder of the descriptor writes with a source
 * that is not routed to the device; the kernel takes the larger of this and `all`, so a host whose `all` is 2 stays
 * loose there. IPv6 knows no such setting. Where `/proc/sys` cannot be written (containers) the defaults stay.
 */
async function hardenDevice(
  name: string,
  { v6 }: { v6: boolean },
): Promise<void> {
  const settings: Record<string, string> = {
    [`ipv4/conf/${name}/rp_filter`]: "1",
    // Nobody advertises on a TUN device, and it needs no address but those it is given.
    [`ipv6/conf/${name}/addr_gen_mode`]: "1",
    [`ipv6/conf/${name}/accept_ra`]: "0",
    [`ipv6/conf/${name}/autoconf`]: "0",
    [`ipv6/conf/${name}/router_solicitations`]: "0",
    [`ipv6/conf/${name}/disable_ipv6`]: v6 ? "0" : "1",
  };
  for (const [setting, value] of Object.entries(settings)) {
    await Deno.writeTextFile(`/proc/sys/net/${setting}`, value, {
      create: false,
    }).catch(() => {});
  }
}

/**
 * The TUN device on macOS: a utun by a socket of the system's family, addresses by ioctl, routes by the routing socket, so
 * that no process is started.
 *
 * - Nothing tells one route from another of the same subnet, so the device's own subnet is routed in two halves: the whole
 *   of it stays for the route that says "unreachable" once the device is gone.
 * - A utun is gone when the last copy of its descriptor is closed, and cannot be removed before: until its reader ends it
 *   is left without an address and without a route.
 */
import { closeOnExec, cString, errnos, textOf } from "../libc/mod.ts";
import { Ip, Subnet } from "../net/mod.ts";
import { kernelRoutes } from "./_host_routes_darwin.ts";
import { interfaceName } from "./_interface_name.ts";
import { DeviceLibc } from "./_device_libc_darwin.ts";
import { encodeRouteMessage, messageTypes } from "./_route_message.ts";
import {
  addAddressRequest,
  controlInfo,
  controlProtocol,
  controlSocketAddress,
  datagrams,
  deleteAddressRequest,
  families,
  flagsRequest,
  mtuRequest,
  nameOption,
  requests,
  systemFamily,
  withUp,
} from "./_utun_message.ts";
import {
  DeviceError,
  type DeviceFailure,
  type DeviceName,
  type DevicePlan,
  type HostSubnets,
  type NetworkEdge,
  type TunSubnet,
} from "./device.ts";

const routeFamily = 17; // PF_ROUTE
const raw = 3; // SOCK_RAW
const receiving = 0; // SHUT_RD

/** The host's network through the kernel. Needs root. */
export function openDarwinNetwork(): NetworkEdge {
  return new DarwinNetwork();
}

class DarwinNetwork implements NetworkEdge {
  readonly #libc = new DeviceLibc();
  readonly #routing: number;
  #sequence = 0;

  constructor() {
    this.#routing = this.#socket(routeFamily, raw, 0);
    // What the kernel tells everybody is not read here.
    this.#libc.call.shutdown(this.#routing, receiving);
  }

  openDevice(plan: DevicePlan): Promise<DeviceName & { fd: number }> {
    return Promise.resolve().then(() => this.#openDevice(plan));
  }

  closeDescriptor(fd: number): void {
    this.#libc.call.close(fd);
  }

  removeDevice({ name, index }: DeviceName): void {
    if (interfaceName(index, this.#libc.call) !== name) return;
    for (const { subnet } of this.#routesOf(index)) {
      const fine = [errnos.ESRCH];
      this.#change(messageTypes.delete, subnet, { index, fine });
    }
    for (const one of Deno.networkInterfaces()) {
      if (one.name !== name) continue;
      const family = one.family === "IPv4" ? 4 : 6;
      const ip = Ip.parse(one.address);
      // One that is there by itself (fe80::) leads nowhere.
      if (ip.isLinkLocal) continue;
      const request = deleteAddressRequest(name, ip);
      this.#ask(family, requests.deleteAddress[family], request);
    }
  }

  restoreSubnet(own: TunSubnet, { index }: { index: number }): void {
    const name = interfaceName(index, this.#libc.call);
    if (name === undefined) return;
    this.#setAddress(name, own);
    this.#routeHalves(own, { index, fine: [errnos.EEXIST] });
  }

  addRoute(subnet: Subnet, { index }: { index: number; source: Ip }): void {
    this.#change(messageTypes.add, subnet, { index });
  }

  deleteRoute(subnet: Subnet, { index }: { index: number }): void {
    const isThere = this.#routesOf(index).some((one) =>
      one.subnet.equals(subnet)
    );
    if (!isThere) return;
    this.#change(messageTypes.delete, subnet, { index, fine: [errnos.ESRCH] });
  }

  addUnreachable(subnet: Subnet): void {
    this.#change(messageTypes.add, subnet, { fine: [errnos.EEXIST] });
  }

  deleteUnreachable(subnet: Subnet): void {
    const isThere = kernelRoutes(this.#libc).some((one) =>
      one.isReject && one.subnet.equals(subnet)
    );
    if (!isThere) return;
    this.#change(messageTypes.delete, subnet, { fine: [errnos.ESRCH] });
  }

  hostSubnets(except?: number): HostSubnets {
    const name = except === undefined
      ? undefined
      : interfaceName(except, this.#libc.call);
    const routes = kernelRoutes(this.#libc).filter(({ index, isReject }) =>
      index !== except && !isReject
    );
    const links = Deno.networkInterfaces().filter((one) => one.name !== name);
    return {
      onLink: links.map(({ cidr }) => Subnet.parse(cidr)),
      routed: routes.map(({ subnet }) => subnet),
    };
  }

  [Symbol.dispose](): void {
    this.#libc.call.close(this.#routing);
    this.#libc[Symbol.dispose]();
  }

  #openDevice(plan: DevicePlan): DeviceName & { fd: number } {
    const fd = this.#socket(systemFamily, datagrams, controlProtocol);
    try {
      const name = this.#attach(fd);
      const index = this.#libc.call.nameToIndex(cString(name));
      this.#ask(4, requests.setMtu, mtuRequest(name, plan.mtu));
      for (const family of [plan.v4, plan.v6]) {
        if (family) this.#setAddress(name, family);
      }
      const flags = flagsRequest(name);
      this.#ask(4, requests.getFlags, flags);
      this.#ask(4, requests.setFlags, withUp(flags));
      for (const family of [plan.v4, plan.v6]) {
        if (family) this.#routeHalves(family, { index });
      }
      return { fd, name, index };
    } catch (error) {
      this.#libc.call.close(fd);
      throw error;
    }
  }

  /** Makes the next free device that of the socket and returns its name. */
  #attach(fd: number): string {
    const info = controlInfo();
    if (this.#libc.ioctl(fd, requests.controlInfo, info) < 0) {
      throw this.#error("find the utun control");
    }
    const address = controlSocketAddress(info);
    if (this.#libc.call.connect(fd, address, address.length) < 0) {
      throw this.#error("make a utun device");
    }
    const name = new Uint8Array(16);
    const length = new Uint8Array(Uint32Array.of(name.length).buffer);
    const { getsockopt } = this.#libc.call;
    if (getsockopt(fd, controlProtocol, nameOption, name, length) < 0) {
      throw this.#error("ask for the name of the device");
    }
    return textOf(name);
  }

  #setAddress(name: string, subnet: TunSubnet): void {
    const { family } = subnet.laptop;
    const request = addAddressRequest(name, subnet);
    this.#ask(family, requests.addAddress[family], request);
  }

  #routeHalves(
    { subnet }: TunSubnet,
    options: { index: number; fine?: number[] },
  ): void {
    for (const half of subnet.split() ?? []) {
      this.#change(messageTypes.add, half, options);
    }
  }

  /** Asks the kernel something of an interface, by a socket of the family. */
  #ask(
    family: 4 | 6,
    request: number,
    data: Uint8Array<ArrayBuffer>,
  ): void {
    const fd = this.#socket(families[family], datagrams, 0);
    try {
      if (this.#libc.ioctl(fd, request, data) < 0) {
        throw this.#error("set up the device");
      }
    } finally {
      this.#libc.call.close(fd);
    }
  }

  #change(
    type: typeof messageTypes.add | typeof messageTypes.delete,
    subnet: Subnet,
    { index, fine = [] }: { index?: number; fine?: number[] },
  ): void {
    const message = encodeRouteMessage({
      ...{ type, subnet, sequence: ++this.#sequence },
      ...index === undefined ? {} : { index },
    });
    const { write } = this.#libc.call;
    if (write(this.#routing, message, BigInt(message.length)) >= 0n) return;
    const isFine = fine.includes(this.#libc.errno);
    const verb = type === messageTypes.add ? "set" : "delete";
    if (!isFine) throw this.#error(`${verb} the route "${subnet}"`);
  }

  #routesOf(index: number) {
    return kernelRoutes(this.#libc).filter((one) => one.index === index);
  }

  #socket(family: number, type: number, protocol: number): number {
    const fd = this.#libc.call.socket(family, type, protocol);
    if (fd < 0) throw this.#error("open a socket");
    closeOnExec(this.#libc.call, fd);
    return fd;
  }

  #error(action: string): DeviceError {
    const { errno } = this.#libc;
    const text = `Cannot ${action}: errno ${errno}`;
    return new DeviceError(failureOf(errno), text);
  }
}

function failureOf(errno: number): DeviceFailure {
  const { EEXIST, EPERM, EACCES, EBUSY, ENOENT } = errnos;
  switch (errno) {
    case EEXIST:
      return "exists";
    case EPERM:
    case EACCES:
      return "tun-denied";
    case EBUSY:
      return "tun-busy";
    case ENOENT:
      return "tun-missing";
    default:
      return "kernel";
  }
}

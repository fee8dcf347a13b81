/**
 * The TUN device and the host's routes as the daemon may change them: the privileged edge as an interface. The OS is in
 * the name of the file that implements it.
 */
import type { Ip, Subnet } from "../net/mod.ts";

/** Addresses of one family on the TUN device. */
export interface TunSubnet {
  readonly subnet: Subnet;
  /** First address after the base: the laptop's own, source of its flows into the cluster. */
  readonly laptop: Ip;
  /** Second address after the base: who flows seem to come from after they are turned round. */
  readonly peer: Ip;
}

/** What the TUN device shall be like. Without a family its addresses are absent. */
export interface DevicePlan {
  readonly v4?: TunSubnet;
  readonly v6?: TunSubnet;
  /** Bytes of the largest packet; segmentation offload carries larger ones through the device. */
  readonly mtu: number;
}

/** An open device, as its reader knows it. */
export interface DeviceInfo extends DevicePlan {
  /** Descriptor of the device, owned by who holds this value; what is read there is `DeviceIo`'s to know. */
  readonly fd: number;
  readonly name: string;
}

/** A device as the kernel knows it. The index outlives no device and is not given again soon. */
export interface DeviceName {
  readonly name: string;
  readonly index: number;
}

/** What a route may not take from the host. */
export interface HostSubnets {
  /** Subnets of the host's own interfaces: their addresses are reached without a gateway. */
  readonly onLink: Subnet[];
  /** Destinations of all routes, the default routes among them. */
  readonly routed: Subnet[];
}

/**
 * Metric of routes to the cluster: behind those that a host sets by itself, so that one for the very same subnet can be
 * added at any time (by a VPN that starts later), and counts.
 */
export const clusterMetric = 2000;

/** Route of the TUN device's subnet that answers "unreachable" once the device is gone. It loses to every other. */
export const unreachableMetric = 4294967295;

/** Changes to the host's network. Everything but {@link NetworkEdge.openDevice} is done when the call returns. */
export interface NetworkEdge extends Disposable {
  /**
   * Opens a TUN device, gives it its addresses and sets it up. It lives until the last copy of its descriptor is
   * closed or it is removed.
   *
   * @throws {DeviceError} and leaves no device behind.
   */
  openDevice(plan: DevicePlan): Promise<DeviceName & { fd: number }>;
  /** Closes this process's copy of a device's descriptor. */
  closeDescriptor(fd: number): void;
  /**
   * Removes the device, if one of this index still has this name, and its routes. Where that cannot be while somebody
   * reads it, it is left without address and routes.
   */
  removeDevice(device: DeviceName): void;
  /** Sets address and route of a device's own subnet again; what is there is no error. */
  restoreSubnet(own: TunSubnet, via: { index: number }): void;
  /** @throws {DeviceError} `exists` when the host has this very route. */
  addRoute(subnet: Subnet, via: { index: number; source: Ip }): void;
  /** A route that is gone already is no error. */
  deleteRoute(subnet: Subnet, via: { index: number }): void;
  /** Sets the route that {@link unreachableMetric} describes; one that is there already is no error. */
  addUnreachable(subnet: Subnet): void;
  /** A route that is gone already is no error. */
  deleteUnreachable(subnet: Subnet): void;
  /** What the host has by itself: the device of index `except` does not count. */
  hostSubnets(except?: number): HostSubnets;
}

/** Why the host's network was not changed: a closed list, since it crosses to the connector. */
export const deviceFailures = [
  "tun-missing",
  "tun-denied",
  "tun-busy",
  "exists",
  "kernel",
] as const;
export type DeviceFailure = typeof deviceFailures[number];

export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly failure: DeviceFailure;

  constructor(failure: DeviceFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

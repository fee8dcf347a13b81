import type { Ip, Subnet } from "../net/mod.ts";
import type {
  DeviceName,
  DevicePlan,
  HostSubnets,
  NetworkEdge,
  TunSubnet,
} from "./device.ts";

/** A host's network that remembers what was done to it. */
export class FakeNetworkEdge implements NetworkEdge {
  readonly done: string[] = [];
  /** Thrown by the next change. */
  failure: Error | undefined;
  host: HostSubnets = { onLink: [], routed: [] };

  openDevice(plan: DevicePlan): Promise<DeviceName & { fd: number }> {
    const { v4, v6, mtu } = plan;
    const addresses = [v4, v6].filter((family) => family !== undefined)
      .map(({ laptop }) => laptop);
    try {
      this.#do(`open ${addresses.join(" ")} mtu ${mtu}`);
    } catch (error) {
      return Promise.reject(error);
    }
    return Promise.resolve({ name: "tp0", index: 7, fd: 99 });
  }

  closeDescriptor(fd: number): void {
    this.#do(`close ${fd}`);
  }

  removeDevice({ name, index }: DeviceName): void {
    this.#do(`remove ${name} ${index}`);
  }

  restoreSubnet({ subnet }: TunSubnet, via: { index: number }): void {
    this.#do(`restore ${subnet} dev ${via.index}`);
  }

  addRoute(subnet: Subnet, via: { index: number; source: Ip }): void {
    this.#do(`route ${subnet} dev ${via.index} src ${via.source}`);
  }

  deleteRoute(subnet: Subnet, via: { index: number }): void {
    this.#do(`unroute ${subnet} dev ${via.index}`);
  }

  addUnreachable(subnet: Subnet): void {
    this.#do(`unreachable ${subnet}`);
  }

  deleteUnreachable(subnet: Subnet): void {
    this.#do(`reachable ${subnet}`);
  }

  hostSubnets(): HostSubnets {
    return this.host;
  }

  [Symbol.dispose](): void {}

  #do(what: string): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure) throw failure;
    this.done.push(what);
  }
}

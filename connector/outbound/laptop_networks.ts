import { type Ip, Subnet } from "../../net/mod.ts";
import { isMeant, readHostRoutes } from "../../vpn/mod.ts";

/** Devices of connections of this laptop: what is routed to them is a cluster's. */
const ownDevice = /^tp\d+$/;

/** The networks that this laptop is in or has routes to, and what it must reach by itself; followed as they change. */
export class LaptopNetworks {
  readonly #own: () => readonly Ip[];
  #found: readonly Subnet[] = [];

  /** @param own Addresses that are never the cluster's. Read each time. */
  constructor(own: () => readonly Ip[]) {
    this.#own = own;
  }

  /** As last read. */
  get current(): readonly Subnet[] {
    return this.#found;
  }

  async refresh(): Promise<void> {
    const routes = await readHostRoutes();
    this.#found = [
      ...routes.filter((route) =>
        isMeant(route) && !ownDevice.test(route.device)
      )
        .map(({ subnet }) => subnet),
      ...this.#own().map((ip) => new Subnet(ip, ip.bits)),
    ];
  }
}

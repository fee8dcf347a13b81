import { readHostRoutes } from "../vpn/mod.ts";
import type { HostNameservers } from "./nameservers.ts";

/**
 * Watches what of the host must stay outside the tunnel, and what the tunnel stands on: its nameservers, the networks
 * that it is in, and its addresses there.
 */
export class HostWatch {
  readonly #nameservers: HostNameservers;
  readonly #device: string;
  #state = "";

  /** @param device Name of the TUN device, whose routes are not the host's. */
  constructor(nameservers: HostNameservers, device: string) {
    this.#nameservers = nameservers;
    this.#device = device;
  }

  /** Whether something differs from the call before; the first call says yes. */
  async hasChanged(): Promise<boolean> {
    const before = this.#state;
    const routes = (await readHostRoutes())
      .filter((route) => route.device !== this.#device);
    const nameservers = await this.#nameservers.refresh();
    const addresses = Deno.networkInterfaces()
      .filter(({ name }) => name !== this.#device)
      .map(({ name, address }) => `${name} ${address}`).sort();
    this.#state = JSON.stringify([nameservers, routes, addresses]);
    return this.#state !== before;
  }
}

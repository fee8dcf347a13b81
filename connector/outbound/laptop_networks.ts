import type { Subnet } from "../../net/mod.ts";
import { readHostRoutes } from "../../vpn/mod.ts";

/** The networks that this laptop is in, followed as they change. */
export class LaptopNetworks {
  #found: readonly Subnet[] = [];

  /** As last read. */
  get current(): readonly Subnet[] {
    return this.#found;
  }

  async refresh(): Promise<void> {
    const routes = await readHostRoutes();
    this.#found = routes
      .filter(({ onLink, device }) => onLink && device !== "lo")
      .map(({ subnet }) => subnet);
  }
}

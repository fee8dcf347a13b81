import { logger } from "../../log.ts";
import type { Subnet } from "../../net/mod.ts";
import { pickVirtualRange, virtualPrefix } from "../../vpn/mod.ts";
import type { VirtualAddresses } from "./virtual_addresses.ts";

const log = logger("connector");

/** The ranges that may be refused before there is none. */
const maxAttempts = 3;

export interface VirtualRangesOptions {
  virtual: VirtualAddresses;
  /** @throws {Error} when the range cannot be routed to the device. */
  addRoute: (range: Subnet) => Promise<void>;
}

/** Keeps the ranges of virtual addresses as large as needed and out of the host's way. Their routes go with the device. */
export class VirtualRanges {
  readonly #options: VirtualRangesOptions;

  constructor(options: VirtualRangesOptions) {
    this.#options = options;
  }

  /** Ranges that are routed to the device, for as long as they are free to be used: apps may hold addresses of them. */
  get routes(): Subnet[] {
    return this.#options.virtual.ranges.map(({ range }) => range);
  }

  /** Gives up the ranges that overlap something of `taken`. */
  yieldTo(taken: readonly Subnet[]): void {
    const { virtual } = this.#options;
    for (const range of this.routes) {
      if (!taken.some((subnet) => subnet.overlaps(range))) continue;
      log.warn("the host has a use for a virtual range", { range });
      virtual.removeRange(range);
    }
  }

  /** Has the routes of all ranges there. */
  async route(): Promise<void> {
    for (const range of this.routes) {
      try {
        await this.#options.addRoute(range);
      } catch (error) {
        log.warn("virtual range not routed", { range, error });
      }
    }
  }

  /** Makes room for `subnets`, which are of one family. False when there is none at all. */
  async provide(
    subnets: readonly [Subnet, ...Subnet[]],
    { taken }: { taken: readonly Subnet[] },
  ): Promise<boolean> {
    const { virtual, addRoute } = this.#options;
    const { family, base: { bits } } = subnets[0];
    const present = this.routes.filter((range) => range.family === family);
    const size = ({ prefix }: Subnet) => 2 ** (bits - prefix);
    const room = present.reduce((sum, range) => sum + size(range), 0);
    const prefix = virtualPrefix(subnets, family);
    if (room >= 2 ** (bits - prefix)) return true;
    const inTheWay = [...taken, ...present];
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const range = pickVirtualRange({ family, prefix, taken: inTheWay });
      if (range === undefined) break;
      try {
        await addRoute(range);
        virtual.addRange(range);
        return true;
      } catch (error) {
        log.warn("virtual range not routed", { range, error });
        inTheWay.push(range);
      }
    }
    return present.length > 0;
  }
}

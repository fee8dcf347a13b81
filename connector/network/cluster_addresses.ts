import type { AppAddresses } from "../../dns/mod.ts";
import { Ip, joinSubnets, RefusedError, type Subnet } from "../../net/mod.ts";
import type { SubnetPlan } from "../../vpn/mod.ts";
import type { VirtualAddresses } from "./virtual_addresses.ts";

export interface ClusterAddressesOptions {
  virtual: VirtualAddresses;
  /** Name of the connection. */
  connection: string;
}

/** By which addresses this laptop reaches those of one connection's cluster, as last planned. */
export class ClusterAddresses implements AppAddresses {
  readonly #options: ClusterAddressesOptions;
  #virtual: readonly Subnet[] = [];
  #unreachable: readonly Subnet[] = [];

  constructor(options: ClusterAddressesOptions) {
    this.#options = options;
  }

  /** Counts for all that is told and dialled from here on. */
  set plan(
    { virtual, unreachable }: Pick<SubnetPlan, "virtual" | "unreachable">,
  ) {
    this.#virtual = joinSubnets(virtual.map(({ subnet }) => subnet));
    this.#unreachable = joinSubnets(unreachable.map(({ subnet }) => subnet));
  }

  toApp(ip: Ip): Ip | "unreachable" | "full" {
    if (isIn(this.#unreachable, ip)) return "unreachable";
    if (!isIn(this.#virtual, ip)) return ip;
    const { virtual: space, connection } = this.#options;
    return space.virtualOf({ connection, ip }) ?? "full";
  }

  behind(ip: Ip): Ip | "nothing" | "host" | undefined {
    const { virtual: space, connection } = this.#options;
    const found = space.behind(ip);
    if (found === undefined && isIn(this.#virtual, ip)) return "host";
    if (typeof found !== "object") return found;
    return found.connection === connection ? found.ip : "nothing";
  }

  /** The address behind `ip` if that is a virtual one, else `ip` itself. */
  real(ip: Ip): Ip {
    const behind = this.behind(ip);
    return behind instanceof Ip ? behind : ip;
  }

  /**
   * The cluster's address that an app means by `ip`.
   *
   * @throws {RefusedError} `unreachable` when it is a virtual one that stands for nothing.
   */
  dialled(ip: Ip): Ip {
    if (this.behind(ip) === "nothing") {
      throw new RefusedError("unreachable", `Nothing is behind ${ip}`);
    }
    return this.real(ip);
  }
}

function isIn(subnets: readonly Subnet[], ip: Ip): boolean {
  return subnets.some((subnet) => subnet.contains(ip));
}

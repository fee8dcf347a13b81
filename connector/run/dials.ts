import {
  type Conn,
  type Datagrams,
  type Endpoint,
  Ip,
  RefusedError,
  type Subnet,
} from "../../net/mod.ts";
import { DnsDoor } from "../network/dns_door.ts";
import type { Outbound } from "../outbound/mod.ts";

const laptopLoopback = {
  4: Ip.parse("127.0.0.1"),
  6: Ip.parse("::1"),
} as const;

/** A subnet of the device that takes all flows, and what leads somewhere of its own in it. */
export interface DeviceAddresses {
  readonly subnet: Subnet;
  readonly dns: Ip;
  /** Leads to the laptop's loopback. */
  readonly loopback: Ip;
}

type Ways = Pick<Outbound, "dial" | "dialDatagrams" | "dialEchoes" | "dns">;

interface DialOptions {
  readonly signal: AbortSignal;
}

/** Where flows go that are not told apart by routes: to our DNS, to the laptop's loopback, or by an {@link Outbound}. */
export class Dials {
  readonly #outbound: Ways;
  readonly #devices: readonly DeviceAddresses[];
  readonly #door: DnsDoor;

  constructor(outbound: Ways, devices: readonly DeviceAddresses[]) {
    this.#outbound = outbound;
    this.#devices = devices;
    this.#door = new DnsDoor(outbound.dns, devices.map(({ dns }) => dns));
  }

  /** @throws {RefusedError} */
  async dial(to: Endpoint, options: DialOptions): Promise<Conn> {
    return this.#door.dial(to) ??
      await this.#outbound.dial(this.#meant(to.ip), to.port, options);
  }

  /** @throws {RefusedError} */
  async dialDatagrams(
    to: Endpoint,
    options: DialOptions & { readonly source?: Endpoint },
  ): Promise<Datagrams> {
    return this.#door.dialDatagrams(to) ??
      await this.#outbound.dialDatagrams(this.#meant(to.ip), to.port, options);
  }

  /** @throws {RefusedError} */
  async dialEchoes(to: Ip, options: DialOptions): Promise<Datagrams> {
    this.#door.mustNotBe(to);
    return await this.#outbound.dialEchoes(this.#meant(to), options);
  }

  /** Nobody else has an address in the device's own subnet, and a flow has one other end. */
  #meant(ip: Ip): Ip {
    const own = this.#devices.find(({ subnet }) => subnet.contains(ip));
    if (own?.loopback.equals(ip)) return laptopLoopback[ip.family];
    if (own === undefined && !ip.isMulticastOrBroadcast) return ip;
    throw new RefusedError("unreachable", `Nobody has the address ${ip}`);
  }
}

import assert from "node:assert/strict";
import { FakeClock } from "../../net/clock_fake.ts";
import { Ip, Subnet } from "../../net/mod.ts";
import type { HostRoute } from "../../vpn/mod.ts";
import { world } from "../cluster/manager_fake.ts";
import { ClusterAddresses } from "./cluster_addresses.ts";
import { type RoutedMember, RouteKeeper } from "./routes.ts";
import { parseSubnetWishes } from "./subnet_wishes.ts";
import { VirtualAddresses } from "./virtual_addresses.ts";

const tun = (subnet: string) => {
  const parsed = Subnet.parse(subnet);
  return { subnet: parsed, laptop: parsed.at(1), peer: parsed.at(2) };
};
const v4 = tun("198.18.0.0/29");
const v6 = tun("fd74:705f:6b3e::/64");
/** That of the first connection. */
export const cluster = {
  ...world,
  serviceSubnets: ["10.96.0.0/16", "fd00:96::/112"].map(Subnet.parse),
  podSubnets: [Subnet.parse("10.244.0.0/24")],
};

/** A route of the host, to a network that it is in. */
export function link(subnet: string | Subnet, device = "docker0"): HostRoute {
  const parsed = Subnet.parse(String(subnet));
  return { subnet: parsed, device, onLink: true, metric: 0 };
}

/** A host whose routes the test sets, and what the keeper makes of them. */
export class Laptop {
  hostRoutes: HostRoute[] = [];
  /** By our device, as text. */
  tunRoutes: Set<string>;
  readonly clock = new FakeClock();
  /** What the daemon has done, in order. */
  readonly done: string[] = [];
  readonly refused = new Set<string>();
  readonly virtual = new VirtualAddresses();
  readonly addresses = new ClusterAddresses({
    virtual: this.virtual,
    connection: "one",
  });
  readonly keeper: RouteKeeper<RoutedMember>;

  readonly proxied = { also: [] as Subnet[], never: [] as Subnet[] };
  members: RoutedMember[];

  constructor({ hasIpv6 = true, vnat = [] as string[] } = {}) {
    const { addresses, proxied, clock } = this;
    const device = { name: "tp0", v4, ...hasIpv6 ? { v6 } : {} };
    const own = [v4, ...hasIpv6 ? [v6] : []].map(({ subnet }) => subnet);
    this.tunRoutes = new Set(own.map(String));
    const [first, ...others] = own.map((subnet) => subnet.at(3));
    const wishes = parseSubnetWishes({ vnat });
    this.members = [{
      ...{ name: "one", world: cluster, addresses, proxied, wishes },
    }];
    this.keeper = new RouteKeeper({
      setter: {
        addRoute: (subnet) => this.#do("add", subnet),
        deleteRoute: (subnet) => this.#do("delete", subnet),
      },
      device: { ...device, dnsAddresses: [first!, ...others] },
      claims: () => [],
      members: () => this.members,
      virtual: this.virtual,
      readRoutes: () => Promise.resolve(this.routes),
      clock,
    });
  }

  #do(action: string, subnet: Subnet): Promise<void> {
    const text = `${action} ${subnet}`;
    this.done.push(text);
    if (this.refused.has(text)) {
      return Promise.reject(new Error(`Cannot ${text}: refused`));
    }
    if (action === "add") this.tunRoutes.add(String(subnet));
    else this.tunRoutes.delete(String(subnet));
    return Promise.resolve();
  }

  /** All that the host has. */
  get routes(): HostRoute[] {
    const ours = [...this.tunRoutes].map((subnet) => link(subnet, "tp0"));
    return [...ours, ...this.hostRoutes];
  }

  /** As another program does it. */
  takeAway(...subnets: string[]): void {
    for (const subnet of subnets) {
      assert.ok(this.tunRoutes.delete(subnet), subnet);
    }
  }

  /** What the keeper has made of the first connection. */
  get routed() {
    return this.keeper.of(this.members[0]!);
  }

  /** A further connection, which wants nothing particular. */
  member(name: string, world: RoutedMember["world"]): RoutedMember {
    return {
      ...{ name, world, wishes: parseSubnetWishes({}) },
      proxied: { also: [], never: [] },
      addresses: new ClusterAddresses({
        virtual: this.virtual,
        connection: name,
      }),
    };
  }

  /** What has been done since the call before. */
  news(): string[] {
    return this.done.splice(0);
  }

  told(ip: string): string {
    return String(this.addresses.toApp(Ip.parse(ip)));
  }

  dialled(ip: string): string {
    return String(this.addresses.dialled(Ip.parse(ip)));
  }
}

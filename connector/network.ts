/**
 * The host's side of a connection: device, names, packets, routes, resolver.
 *
 * 1. DNS and VPN are put on the device; what they need of the cluster goes through the session with the manager.
 * 2. Routes are set and follow the cluster.
 * 3. When names can be answered, the host's resolver is told, and follows the cluster too.
 * 4. When the host's own network has changed, or it has slept, routes and the way to the manager are looked after.
 */
import type { DaemonClient } from "../daemon/client.ts";
import { type Dns, type DnsCluster, startDns } from "../dns/mod.ts";
import type { ClusterAccess } from "../k8s/mod.ts";
import { logger } from "../log.ts";
import type { World } from "../manager/api.ts";
import { Ip, Subnet } from "../net/mod.ts";
import { type ReasonedSubnet, startVpn, type Vpn } from "../vpn/mod.ts";
import type { Status } from "./api.ts";
import { carrierAddresses } from "./api_server.ts";
import { ClusterAddresses } from "./cluster_addresses.ts";
import type { Device } from "./device.ts";
import { dialer } from "./dialer.ts";
import { type DnsRules, unservedOf } from "./dns_settings.ts";
import type { ManagerLink } from "./link.ts";
import { HostWatch } from "./host_watch.ts";
import { MappedAddresses } from "./mapped_addresses.ts";
import { HostNameservers } from "./nameservers.ts";
import { ProxiedAddresses } from "./proxied_addresses.ts";
import { ProxyVias } from "./proxy_vias.ts";
import type { ProxyWishes } from "./proxy_wishes.ts";
import { RouteKeeper } from "./routes.ts";
import type { SubnetWishes } from "./subnet_wishes.ts";
import type { VirtualAddresses } from "./virtual_addresses.ts";
import type { WorldView } from "./world_view.ts";
import { ZoneKeeper } from "./zone_keeper.ts";
import { zonesOf } from "./zones.ts";

const log = logger("connector");

export interface NetworkOptions {
  access: ClusterAccess;
  daemon: DaemonClient;
  /** Its descriptor belongs to the network from here on. */
  device: Device;
  link: ManagerLink;
  view: WorldView;
  /** Namespaces in which single labels are services, in order. Read at each query: equal ones are the same list. */
  search: () => readonly string[];
  /** What the user says of DNS. */
  rules: DnsRules;
  wishes: SubnetWishes;
  /** What the user wants of addresses, whosoever they are. */
  proxyWishes: ProxyWishes;
  /** The only namespaces that are reached; all when `undefined`. */
  mapped: readonly string[] | undefined;
  virtual: VirtualAddresses;
  /** Name of the connection, which its virtual addresses belong to. */
  connection: string;
}

/** @throws {DaemonRefusalError} when the daemon finds that something would break the host; nothing is left then. */
export async function openNetwork(options: NetworkOptions): Promise<Network> {
  const { daemon, device, link, view, search, rules } = options;
  const { wishes, proxyWishes, mapped, virtual } = options;
  const { dnsAddresses } = device;
  await using building = new AsyncDisposableStack();
  const isOurs = (ip: Ip) => dnsAddresses.some((one) => one.equals(ip));
  const nameservers = new HostNameservers(isOurs);
  await nameservers.refresh();

  const addresses = new ClusterAddresses(options);
  building.defer(() => virtual.release(options.connection));
  const proxied: ProxiedAddresses = new ProxiedAddresses({
    wishes: proxyWishes,
    addressesOf: async (name) => {
      const told = await dns.addresses(name);
      return told.map((ip) => addresses.real(ip));
    },
    isInUse: (ip) => vpn.flowsTo(new Subnet(ip, ip.bits)) > 0,
    onChange: () => routes.follow(view.current),
  });
  const zones = zonesOf(view, {
    ...{ search, rules: rules.names, mapped, proxied: proxied.names },
  });
  const clusters: readonly DnsCluster[] = [{
    zones,
    addresses,
    onProxied: (name, ips) => proxied.hear(name, ips),
    lookupTimeoutMs: rules.lookupTimeoutMs,
    lookup: (query, { signal }) =>
      link.use((manager) => manager.lookup(query, { signal })),
  }];
  const dns = startDns({
    clusters: () => clusters,
    nameservers: () => nameservers.current,
  });
  building.defer(() => dns.stop());
  const vias = new ProxyVias({
    wishes,
    reached: () => ({ world: view.current, also: proxied.also }),
  });
  const vpn = await startVpn({
    device,
    ...dialer({
      ...{ link, dns, addresses, vias, dnsAddresses },
      mapped: new MappedAddresses({ view, also: () => proxied.also }),
    }),
  });
  building.defer(() => vpn.stop());

  const routes = new RouteKeeper({
    ...{ setter: daemon, device, wishes, proxied, addresses, virtual },
    claims: () => claimsOf(options, nameservers.current),
  });
  link.direct.onChange(() => routes.follow(view.current));
  building.defer(() => link.direct.onChange(() => Promise.resolve()));
  await routes.follow(view.current);
  building.use(proxied);
  await proxied.start();
  const nameserver = dnsAddresses[0];
  const zoneKeeper = await ZoneKeeper.start({ daemon, nameserver, zones });
  building.use(zoneKeeper);
  const follow = (world: World) => {
    routes.follow(world).then(
      () => zoneKeeper.routesChanged(),
      (error) => log.warn("routes not set", { error }),
    );
  };
  let routed = view.current;
  view.onChange((world) => {
    const isSame = world.podSubnets === routed.podSubnets &&
      world.serviceSubnets === routed.serviceSubnets;
    routed = world;
    if (!isSame) follow(world);
  });
  building.defer(() => view.onChange(() => {}));

  building.use(
    await HostWatch.start({
      nameservers,
      device: device.name,
      onChange: () => {
        follow(view.current);
        link.wake();
      },
      onWake: () => link.wake(),
    }),
  );
  // What has changed since the routes were planned is what the watch has seen first.
  await routes.follow(view.current);
  zoneKeeper.routesChanged();
  const parts = {
    ...{ device, dns, rules, vpn, routes, zoneKeeper, nameservers },
    ...{ addresses, virtual, proxied, vias },
  };
  return new Network(parts, building.move());
}

/** Single addresses that this host reaches without the cluster, whatever its routes say. */
async function claimsOf(
  { access, link, device }: NetworkOptions,
  nameservers: readonly Ip[],
): Promise<ReasonedSubnet[]> {
  const own = Deno.networkInterfaces()
    .filter(({ name }) => name !== device.name)
    .map(({ address }) => Ip.parse(address));
  const claim = (ips: readonly Ip[], reason: string) =>
    ips.map((ip) => ({ subnet: new Subnet(ip, ip.bits), reason }));
  return [
    ...claim(await carrierAddresses(access), "the API server has it"),
    ...claim(link.direct.addresses, "the manager is reached there"),
    ...claim(nameservers, "a nameserver of the host has it"),
    ...claim(own, "it is the host's own"),
  ];
}

interface Parts {
  device: Device;
  dns: Dns;
  rules: DnsRules;
  vpn: Vpn;
  routes: RouteKeeper;
  zoneKeeper: ZoneKeeper;
  nameservers: HostNameservers;
  addresses: ClusterAddresses;
  virtual: VirtualAddresses;
  proxied: ProxiedAddresses;
  vias: ProxyVias;
}

/** Dispose of it to take names and packets off the host again; routes and device go with the daemon. */
export class Network implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #building: AsyncDisposableStack;

  constructor(parts: Parts, building: AsyncDisposableStack) {
    this.#parts = parts;
    this.#building = building;
  }

  /** Resolves when the device is gone, taken away by somebody else, or this network was disposed of. */
  get ended(): Promise<unknown> {
    return this.#parts.vpn.ended;
  }

  status(world: World): Omit<
    NonNullable<Status["root_daemon"]>,
    "running" | "version"
  > {
    const { device, rules, routes, nameservers } = this.#parts;
    const { virtual, proxied } = this.#parts;
    const { edge, reason, refused } = this.#parts.zoneKeeper.state;
    return {
      device: device.name,
      dns: {
        vif_address: device.dnsAddresses[0].toString(),
        edge,
        edge_reason: reason,
        refused_zones: [...refused],
        nameservers: nameservers.current.map(String),
        cluster_domain: world.clusterDomain,
        unserved_namespaces: unservedOf(world.namespaces, rules),
        ...rules.status,
      },
      subnets: routes.routes.map(String),
      also_proxy_subnets: proxied.also.map(String),
      never_proxy_subnets: proxied.never.map(String),
      followed_names: proxied.followed,
      virtual_subnets: this.#virtualSubnets(),
      virtual_ranges: virtual.ranges.map(({ range, used, size }) => ({
        range: String(range),
        used,
        size,
      })),
      skipped_subnets: routes.skipped.map(({ subnet, reason }) => ({
        subnet: String(subnet),
        reason,
      })),
    };
  }

  #virtualSubnets(): NonNullable<Status["root_daemon"]>["virtual_subnets"] {
    const { routes, virtual, vpn } = this.#parts;
    return routes.virtual.map(({ subnet, reason, since }) => ({
      subnet: String(subnet),
      ranges: virtual.ranges.map(({ range }) => range)
        .filter((range) => range.family === subnet.family).map(String),
      reason,
      since: since.toISOString(),
      stranded_flows: vpn.flowsTo(subnet),
    }));
  }

  /** The workloads whose pods dial, which are to be opened. */
  get vias(): ProxyVias {
    return this.#parts.vias;
  }

  /** The address by which apps reach one of the cluster: `ip` itself where there is no other. */
  toApp(ip: Ip): Ip {
    const told = this.#parts.addresses.toApp(ip);
    return told instanceof Ip ? told : ip;
  }

  /** Whether packets to `ip` are taken to the cluster; to our DNS and its like, too. */
  leadsToCluster(ip: Ip): boolean {
    const { routes, device: { v4, v6 } } = this.#parts;
    const isOnDevice = [v4, v6].some((own) =>
      own?.subnet.contains(ip) && !own.laptop.equals(ip)
    );
    return isOnDevice || routes.leadToCluster(ip);
  }

  /** Counters of flows, packets and queries. */
  traffic(): Record<string, number> {
    const { vpn, dns } = this.#parts;
    return { ...vpn.stats(), ...dnsCounters({ ...dns.stats() }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#building.disposeAsync();
  }
}

/** As `tp status` names them, e.g. `dns_in_flight`. */
function dnsCounters(counters: Record<string, number>): Record<string, number> {
  const nameOf = (name: string) =>
    "dns_" + name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(
    Object.entries(counters).map(([name, count]) => [nameOf(name), count]),
  );
}

/**
 * The host's side of all connections of a user: device, names, packets, routes, resolver.
 *
 * 1. The daemon is held and opens the device. DNS and VPN are put on it.
 * 2. A connection joins: its names are answered, and its routes are set and follow its cluster.
 * 3. When names of the first can be answered, the host's resolver is told, and follows the clusters too.
 * 4. When the host's own network has changed, or it has slept, routes and the ways to the managers are looked after, and
 *    routes that another program took away are set again.
 *
 * What two clusters both have is reached by its own address in the one that joined first, by a virtual one in the other.
 */
import type { DaemonClient } from "../../daemon/client.ts";
import { type Dns, type DnsCluster, startDns } from "../../dns/mod.ts";
import { logger } from "../../log.ts";
import { Ip, RefusedError, Subnet } from "../../net/mod.ts";
import type { Incoming } from "../../tunnel/mod.ts";
import { type ReasonedSubnet, startVpn, type Vpn } from "../../vpn/mod.ts";
import type { ConnectEvent } from "../api.ts";
import type { BroughtTarget } from "../../manager/api.ts";
import { holdDaemon } from "./daemon_hold.ts";
import { type Device, openDevice } from "./device.ts";
import { dialer } from "./dialer.ts";
import { HostWatch } from "./host_watch.ts";
import { HostNameservers } from "./nameservers.ts";
import {
  type MembershipStatus,
  membershipStatus,
} from "./membership_status.ts";
import { type MemberOptions, NetworkMember } from "./network_member.ts";
import type { ProxyVias } from "./proxy_vias.ts";
import { RouteKeeper } from "./routes.ts";
import { VirtualAddresses } from "./virtual_addresses.ts";
import { ZoneKeeper } from "./zone_keeper.ts";

const log = logger("connector");

export interface HostNetworkOptions {
  /** Calls it off. */
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
}

interface Parts {
  daemon: DaemonClient;
  device: Device;
  nameservers: HostNameservers;
}

/** Dispose of it to have the host as it was. */
export class HostNetwork implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #virtual = new VirtualAddresses();
  readonly #routes: RouteKeeper<NetworkMember>;
  readonly #building = new AsyncDisposableStack();
  readonly #dns: Dns;
  #vpn!: Vpn;
  #zones: ZoneKeeper | undefined;
  #members: readonly NetworkMember[] = [];
  #clusters: readonly DnsCluster[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws {HeldError | DaemonAbsentError | DaemonRefusalError} Nothing is left then. */
  static async open(options: HostNetworkOptions): Promise<HostNetwork> {
    await using building = new AsyncDisposableStack();
    const daemon = await holdDaemon(options);
    building.defer(() => daemon.close());
    const device = await openDevice(daemon);
    const { dnsAddresses } = device;
    const isOurs = (ip: Ip) => dnsAddresses.some((one) => one.equals(ip));
    const nameservers = new HostNameservers(isOurs);
    await nameservers.refresh();
    const host = new HostNetwork({ daemon, device, nameservers });
    host.#building.use(building.move());
    try {
      await host.#start();
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
    return host;
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
    const { daemon, device, nameservers } = parts;
    this.#dns = startDns({
      clusters: () => this.#clusters,
      nameservers: () => nameservers.current,
      search: () => nameservers.search,
    });
    this.#routes = new RouteKeeper({
      ...{ setter: daemon, device, virtual: this.#virtual },
      members: () => this.#members,
      claims: () => this.#claims(),
    });
  }

  /** Resolves when it cannot go on: the daemon is gone, and the host as it was, or the device is. */
  get ended(): Promise<unknown> {
    return Promise.race([this.#parts.daemon.ended, this.#vpn.ended]);
  }

  /**
   * Takes a connection in; calls are served in order.
   *
   * @throws {DaemonRefusalError} when the daemon finds that something would break the host; nothing of it is left then.
   */
  join(options: MemberOptions): Promise<Membership> {
    return this.#inTurn(() => this.#join(options));
  }

  /** Whether packets to `ip` are taken to a cluster; to our DNS and its like, too. */
  leadsToCluster(ip: Ip): boolean {
    const { device: { v4, v6 } } = this.#parts;
    const isOnDevice = [v4, v6].some((own) =>
      own?.subnet.contains(ip) && !own.laptop.equals(ip)
    );
    return isOnDevice || this.#routes.leadToCluster(ip);
  }

  /** Counters of flows, packets and queries. */
  traffic(): Record<string, number> {
    return {
      ...this.#vpn.stats(),
      ...dnsCounters({ ...this.#dns.stats() }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#building.disposeAsync();
  }

  async #start(): Promise<void> {
    const { device } = this.#parts;
    const { dnsAddresses } = device;
    this.#building.defer(() => this.#dns.stop());
    const dial = dialer({
      ...{ dns: this.#dns, dnsAddresses },
      owner: (ip) => this.#owner(ip),
    });
    this.#vpn = await startVpn({ device, ...dial });
    this.#building.defer(() => this.#vpn.stop());
  }

  async #join(options: MemberOptions): Promise<Membership> {
    const { link, view } = options;
    await using building = new AsyncDisposableStack();
    const member = new NetworkMember(options, {
      virtual: this.#virtual,
      addressesOf: (name) => this.#dns.addresses(name),
      isInUse: (ip) => this.#vpn.flowsTo(new Subnet(ip, ip.bits)) > 0,
      onChange: () => this.#routes.follow(),
      onMoved: () => this.#onChange(),
    });
    building.use(member.carrierHosts);
    await member.carrierHosts.start();
    this.#have([...this.#members, member]);
    building.defer(() => this.#leave(member));
    link.direct.onChange(() => this.#routes.follow());
    building.defer(() => link.direct.onChange(() => Promise.resolve()));
    await this.#routes.follow();
    building.use(member.proxied);
    await member.proxied.start();
    if (this.#zones === undefined) await this.#follow();
    let routed = view.current;
    view.onChange((world) => {
      const isSame = world.podSubnets === routed.podSubnets &&
        world.serviceSubnets === routed.serviceSubnets;
      routed = world;
      if (!isSame) this.#onChange();
    });
    building.defer(() => view.onChange(() => {}));
    // What has changed since the routes were planned is what the watch has seen first.
    await this.#routes.follow();
    this.#zones?.routesChanged();
    building.use(
      options.brought.takeBy((target, incoming) =>
        this.#takeBrought(member, target, incoming)
      ),
    );
    const leaving = building.move();
    return {
      vias: member.vias,
      status: () => this.#status(member),
      toApp: (ip) => {
        const told = member.addresses.toApp(ip);
        return told instanceof Ip ? told : ip;
      },
      [Symbol.asyncDispose]: () => this.#inTurn(() => leaving.disposeAsync()),
    };
  }

  /** Has the host's resolver and its changes followed. */
  async #follow(): Promise<void> {
    const { daemon, device, nameservers } = this.#parts;
    await using building = new AsyncDisposableStack();
    const zones = building.use(
      await ZoneKeeper.start({
        ...{ daemon, nameserver: device.dnsAddresses[0] },
        clusters: () => this.#clusters,
      }),
    );
    const wake = () => {
      for (const { options: { link } } of this.#members) link.wake();
    };
    building.use(
      await HostWatch.start({
        ...{ nameservers, device: device.name, onWake: wake },
        ours: {
          lacks: (routes) => this.#routes.lacks(routes),
          onLack: () => void this.#followRoutes(),
        },
        onChange: () => {
          this.#onChange();
          wake();
          for (const one of this.#members) void one.carrierHosts.look();
        },
      }),
    );
    this.#building.use(building.move());
    this.#zones = zones;
  }

  async #onChange(): Promise<void> {
    if (await this.#followRoutes()) this.#zones?.routesChanged();
  }

  /** False when it failed, which is logged. */
  #followRoutes(): Promise<boolean> {
    return this.#routes.follow().then(() => true, (error) => {
      log.warn("routes not set", { error });
      return false;
    });
  }

  async #leave(member: NetworkMember): Promise<void> {
    this.#have(this.#members.filter((one) => one !== member));
    await this.#routes.follow().catch((error) =>
      log.warn("routes not taken away", { error })
    );
    this.#virtual.release(member.name);
    if (this.#members.length > 0) this.#zones?.routesChanged();
  }

  #have(members: readonly NetworkMember[]): void {
    this.#members = members;
    this.#clusters = members.map(({ cluster }) => cluster);
  }

  /** @throws {RefusedError} `unreachable` when no connection has it. */
  #owner(ip: Ip): NetworkMember {
    const behind = this.#virtual.behind(ip);
    const [first, ...others] = this.#members;
    const found = typeof behind === "object"
      ? this.#members.find(({ name }) => name === behind.connection)
      : others.length === 0
      ? first
      : this.#routes.owner(ip);
    if (found !== undefined) return found;
    throw new RefusedError("unreachable", `No connection has ${ip}`);
  }

  async #takeBrought(
    member: NetworkMember,
    { source: app, ...peer }: BroughtTarget,
    incoming: Pick<Incoming, "acceptDatagrams">,
  ): Promise<void> {
    // What the app answers has to come here, and to that connection.
    const isItsOwn = (ip: Ip) =>
      this.#routes.leadToCluster(ip) && this.#owner(ip) === member;
    if (!this.#vpn.hasDatagrams(app, isItsOwn)) {
      throw new RefusedError("refused", "Nobody has sent from there");
    }
    await member.mapped.mustReach(peer.ip);
    const ip = member.addresses.toApp(peer.ip);
    if (!(ip instanceof Ip) || !isItsOwn(ip)) {
      const detail = `This laptop does not reach ${peer.ip} by the cluster`;
      throw new RefusedError("unreachable", detail);
    }
    const service = { ...peer, ip };
    const accept = () => incoming.acceptDatagrams();
    this.#vpn.takeDatagrams({ app, service }, accept);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Single addresses that this host reaches without a cluster, whatever its routes say. */
  #claims(): ReasonedSubnet[] {
    const { device, nameservers } = this.#parts;
    const own = Deno.networkInterfaces()
      .filter(({ name }) => name !== device.name)
      .map(({ address }) => Ip.parse(address))
      .filter((ip) => !ip.isLinkLocal);
    const claim = (ips: readonly Ip[], reason: string) =>
      ips.map((ip) => ({ subnet: new Subnet(ip, ip.bits), reason }));
    return [
      ...this.#members.flatMap(({ carrierHosts, options: { link } }) => [
        ...claim(carrierHosts.addresses, "the API server has it"),
        ...claim(link.direct.addresses, "the manager is reached there"),
      ]),
      ...claim(nameservers.current, "a nameserver of the host has it"),
      ...claim(own, "it is the host's own"),
    ];
  }

  #status(member: NetworkMember): MembershipStatus {
    const { device, nameservers } = this.#parts;
    return membershipStatus(member, {
      ...{ device, nameservers: nameservers.current },
      resolver: this.#zones!.state,
      routed: this.#routes.of(member),
      ranges: this.#virtual.ranges,
      flowsTo: (subnet) => this.#vpn.flowsTo(subnet),
    });
  }
}

/** A connection's part in the host's network. Dispose of it to leave; what others have stays. */
export interface Membership extends AsyncDisposable {
  /** The workloads whose pods dial, which are to be opened. */
  readonly vias: ProxyVias;
  status(): MembershipStatus;
  /** The address by which apps reach one of the cluster: `ip` itself where there is no other. */
  toApp(ip: Ip): Ip;
}

/** As `tp status` names them, e.g. `dns_in_flight`. */
function dnsCounters(counters: Record<string, number>): Record<string, number> {
  const nameOf = (name: string) =>
    "dns_" + name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(
    Object.entries(counters).map(([name, count]) => [nameOf(name), count]),
  );
}

/**
 * One cluster and the laptop's own network behind one dial, for who carries flows without changing the laptop.
 *
 * 1. A session of its own with the manager: it begins and ends with its command, and no connection of the laptop's has a
 *    part in it.
 * 2. Names are decided on and asked as for `tp connect` (`dns/`).
 * 3. An address is the cluster's, and dialled by the manager, or it is dialled from this laptop.
 */
import { type Dns, type DnsCluster, startDns } from "../../dns/mod.ts";
import { logger } from "../../log.ts";
import {
  type Conn,
  type Datagrams,
  type Endpoint,
  type Ip,
  RefusedError,
  systemClock,
  udpIdleMs,
} from "../../net/mod.ts";
import { dialTcp, UdpDatagrams } from "../../tcp/mod.ts";
import { BroughtFlows, type TakeBrought } from "../../manager/api.ts";
import type { ConnectRequest } from "../api.ts";
import { Approach } from "../approach.ts";
import { toFailure } from "../errors.ts";
import { ConnectError } from "../failure.ts";
import { CarrierHosts } from "../network/carrier_hosts.ts";
import { clusterSubnets } from "../network/cluster_subnets.ts";
import {
  type DnsRules,
  parseDnsSettings,
  unservedOf,
} from "../network/dns_settings.ts";
import { hostAddresses } from "../network/host_addresses.ts";
import { HostWatch } from "../network/host_watch.ts";
import { MappedAddresses } from "../network/mapped_addresses.ts";
import { HostNameservers } from "../network/nameservers.ts";
import {
  type FollowedName,
  ProxiedAddresses,
} from "../network/proxied_addresses.ts";
import { parseProxyWishes } from "../network/proxy_wishes.ts";
import { zonesOf } from "../network/zones.ts";
import type { ManagerLink } from "../session/link.ts";
import { LaptopNetworks } from "./laptop_networks.ts";
import { placeOf } from "./place.ts";

const log = logger("connector");

export interface OutboundOptions {
  /** Calls it off. */
  signal: AbortSignal;
  say: (line: string) => void;
}

/** @throws {ConnectError} Nothing is left then. */
export async function openOutbound(
  request: ConnectRequest,
  options: OutboundOptions,
): Promise<Outbound> {
  try {
    return await open(request, options);
  } catch (error) {
    throw new ConnectError(toFailure(error), { cause: error });
  }
}

async function open(
  request: ConnectRequest,
  { signal, say }: OutboundOptions,
): Promise<Outbound> {
  const rules = parseDnsSettings(request.dns);
  const wishes = parseProxyWishes(request);
  await using building = new AsyncDisposableStack();
  const brought = new BroughtFlows();
  const approach = building.use(
    await Approach.open(request, {
      signal,
      tell: (event) => {
        if (event.event === "progress") say(event.text);
      },
      serve: (incoming) => {
        if (brought.serve(incoming)) return;
        incoming.refuse("unknown-target", "This laptop intercepts nothing");
      },
    }),
  );
  const link = await approach.arrive();
  const nameservers = new HostNameservers();
  await nameservers.refresh();
  const refresh = () => {
    networks.refresh().catch((error) =>
      log.warn("the laptop's networks are as before", { error })
    );
  };
  const carrierHosts = building.use(
    new CarrierHosts({ access: approach.access, onChange: refresh }),
  );
  await carrierHosts.start();
  const networks = new LaptopNetworks(() => [
    ...carrierHosts.addresses,
    ...nameservers.current,
  ]);
  await networks.refresh();
  const namespaces = [approach.access.namespace];
  const proxied: ProxiedAddresses = building.use(
    new ProxiedAddresses({
      wishes,
      addressesOf: (name) => dns.addresses(name),
      // Flows that are open go on where they were opened.
      isInUse: () => false,
      onChange: () => Promise.resolve(),
    }),
  );
  const clusters: readonly DnsCluster[] = [{
    zones: zonesOf(approach.view, {
      ...{ search: () => namespaces, rules: rules.names },
      ...{ mapped: approach.mapped, proxied: proxied.names },
    }),
    onProxied: (name, ips) => proxied.hear(name, ips),
    lookupTimeoutMs: rules.lookupTimeoutMs,
    lookup: (query, { signal }) =>
      link.use((manager) => manager.lookup(query, { signal })),
  }];
  const dns = building.use(startDns({
    clusters: () => clusters,
    nameservers: () => nameservers.current,
    search: () => nameservers.search,
  }));
  building.use(
    await HostWatch.start({
      nameservers,
      device: "",
      onChange: () => {
        refresh();
        link.wake();
        void carrierHosts.look();
      },
      onWake: () => link.wake(),
    }),
  );
  await proxied.start();
  signal.throwIfAborted();
  const { view } = approach;
  const mapped = new MappedAddresses({ view, also: () => proxied.also });
  const parts = {
    ...{ approach, link, brought, dns, rules, networks },
    ...{ proxied, mapped },
  };
  return new Outbound(parts, building.move());
}

/** `signal`: nobody waits for it any more. */
interface DialOptions {
  readonly signal: AbortSignal;
}

interface Parts {
  approach: Approach;
  link: ManagerLink;
  brought: BroughtFlows;
  dns: Dns;
  rules: DnsRules;
  networks: LaptopNetworks;
  proxied: ProxiedAddresses;
  mapped: MappedAddresses;
}

/** Dispose of it to end the session, and with it all flows into the cluster. */
export class Outbound implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #building: AsyncDisposableStack;

  constructor(parts: Parts, building: AsyncDisposableStack) {
    this.#parts = parts;
    this.#building = building;
  }

  /** Answers queries. */
  get dns(): Dns {
    return this.#parts.dns;
  }

  /** What it leads to, in words. */
  get description(): string {
    const { access: { context, server } } = this.#parts.approach;
    return `context ${context} (${server.href.replace(/\/$/, "")})`;
  }

  /** Namespaces called like a top-level domain, which the user has not opened: `service.namespace` is not the cluster's there. */
  get unservedNamespaces(): string[] {
    const { approach: { view }, rules } = this.#parts;
    return unservedOf(view.current.namespaces, rules);
  }

  /** Names whose addresses the user wants to be reached through the cluster, or never. */
  get followedNames(): FollowedName[] {
    return this.#parts.proxied.followed;
  }

  /**
   * A TCP connection to an address of the cluster, or of any other network that this laptop reaches.
   *
   * @throws {RefusedError}
   */
  async dial(ip: Ip, port: number, { signal }: DialOptions): Promise<Conn> {
    return await this.#isByCluster(ip)
      ? await this.#parts.link.use((manager) =>
        manager.dial(ip, port, { signal })
      )
      : await dialTcp({ ip, port }, { signal, clock: systemClock });
  }

  /** As {@link dial}, for a flow of datagrams, of a source as `Manager.dialDatagrams` takes it. */
  async dialDatagrams(
    ip: Ip,
    port: number,
    options: DialOptions & { readonly source?: Endpoint },
  ): Promise<Datagrams> {
    const idleMs = udpIdleMs.acceptor;
    return await this.#isByCluster(ip)
      ? await this.#parts.link.use((manager) =>
        manager.dialDatagrams(ip, port, options)
      )
      : new UdpDatagrams({ ip, port }, { clock: systemClock, idleMs });
  }

  /** Has flows taken that peers in the cluster begin with one of the sources that were dialled from. */
  takeBroughtBy(take: TakeBrought): Disposable {
    return this.#parts.brought.takeBy(async (target, incoming) => {
      if (await this.#isByCluster(target.ip)) return take(target, incoming);
      const detail = `This laptop does not reach ${target.ip} by the cluster`;
      throw new RefusedError("unreachable", detail);
    });
  }

  /** As {@link dial}, for ICMP echo, which only the cluster is asked for. */
  async dialEchoes(ip: Ip, { signal }: DialOptions): Promise<Datagrams> {
    if (!await this.#isByCluster(ip)) {
      const detail = `Only addresses of the cluster are asked, not ${ip}`;
      throw new RefusedError("unknown-target", detail);
    }
    return await this.#parts.link.use((manager) =>
      manager.dialEchoes(ip, { signal })
    );
  }

  /** The addresses of a name: as the cluster has it, else as this laptop does. None where nobody knows it. */
  async addresses(name: string): Promise<readonly Ip[]> {
    const found = await this.#parts.dns.addresses(name);
    return found.length > 0 ? found : await hostAddresses(name);
  }

  /** As {@link dial}, to the first address of a name that takes it. */
  async dialName(
    name: string,
    port: number,
    options: DialOptions,
  ): Promise<Conn> {
    let refused = new RefusedError(
      "unreachable",
      `Cannot reach "${name}": no such name`,
    );
    for (const ip of await this.addresses(name)) {
      try {
        return await this.dial(ip, port, options);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        refused = error;
      }
    }
    throw refused;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#building.disposeAsync();
  }

  /** @throws {RefusedError} for an address of the cluster that is not of a mapped namespace. */
  async #isByCluster(ip: Ip): Promise<boolean> {
    const { approach: { view }, networks, proxied, mapped } = this.#parts;
    const { podSubnets, serviceSubnets } = clusterSubnets(
      view.current,
      proxied.never,
    );
    const places = {
      cluster: [...podSubnets, ...serviceSubnets, ...proxied.also],
      never: proxied.never,
      laptop: networks.current,
    };
    if (placeOf(ip, places) === "laptop") return false;
    await mapped.mustReach(ip);
    return true;
  }
}

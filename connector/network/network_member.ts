import type { DnsCluster } from "../../dns/mod.ts";
import type { ClusterAccess } from "../../k8s/mod.ts";
import type { BroughtFlows, World } from "../../manager/api.ts";
import type { Ip } from "../../net/mod.ts";
import type { ManagerLink } from "../session/link.ts";
import type { WorldView } from "../session/world_view.ts";
import { CarrierHosts } from "./carrier_hosts.ts";
import { ClusterAddresses } from "./cluster_addresses.ts";
import { type DnsRules, unservedOf } from "./dns_settings.ts";
import { MappedAddresses } from "./mapped_addresses.ts";
import { ProxiedAddresses } from "./proxied_addresses.ts";
import { ProxyVias } from "./proxy_vias.ts";
import type { ProxyWishes } from "./proxy_wishes.ts";
import type { RoutedMember } from "./routes.ts";
import type { SubnetWishes } from "./subnet_wishes.ts";
import type { VirtualAddresses } from "./virtual_addresses.ts";
import { zonesOf } from "./zones.ts";

/** What a connection brings to the host's network. */
export interface MemberOptions {
  /** Of the connection; no other that stands has it. */
  name: string;
  access: ClusterAccess;
  link: ManagerLink;
  /** What peers in the cluster begin. */
  brought: BroughtFlows;
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
}

/** What the host's network has for all its members. */
export interface MemberPlace {
  virtual: VirtualAddresses;
  /** The addresses of a name as apps are told them. */
  addressesOf: (name: string) => Promise<readonly Ip[]>;
  /** Whether a flow to an address is open. */
  isInUse: (ip: Ip) => boolean;
  /** What is reached through the cluster is not the same any more. Resolves when that holds. */
  onChange: () => Promise<void>;
  /** Its carriers go elsewhere. Must not throw: what comes of it is not told to the member. */
  onMoved: () => void;
}

/** One connection in the host's network: its names and addresses. */
export class NetworkMember implements RoutedMember {
  readonly options: MemberOptions;
  /** What it stands on. */
  readonly carrierHosts: CarrierHosts;
  readonly addresses: ClusterAddresses;
  readonly proxied: ProxiedAddresses;
  readonly mapped: MappedAddresses;
  /** The workloads whose pods dial, which are to be opened. */
  readonly vias: ProxyVias;
  readonly cluster: DnsCluster;

  constructor(
    options: MemberOptions,
    { virtual, addressesOf, isInUse, onChange, onMoved }: MemberPlace,
  ) {
    const { name, access, link, view, search, rules, mapped } = options;
    this.options = options;
    this.carrierHosts = new CarrierHosts({ access, onChange: onMoved });
    const addresses = new ClusterAddresses({ virtual, connection: name });
    this.addresses = addresses;
    const proxied = new ProxiedAddresses({
      wishes: options.proxyWishes,
      addressesOf: async (name) =>
        (await addressesOf(name)).map((ip) => addresses.real(ip)),
      ...{ isInUse, onChange },
    });
    this.proxied = proxied;
    this.mapped = new MappedAddresses({ view, also: () => proxied.also });
    this.vias = new ProxyVias({
      wishes: options.wishes,
      reached: () => ({ world: view.current, also: proxied.also }),
    });
    this.cluster = {
      ...{ name, addresses, lookupTimeoutMs: rules.lookupTimeoutMs },
      zones: zonesOf(view, {
        ...{ search, rules: rules.names, mapped, proxied: proxied.names },
      }),
      onProxied: (name, ips) => proxied.hear(name, ips),
      lookup: (query, { signal }) =>
        link.use((manager) => manager.lookup(query, { signal })),
      isAway: () => link.status().trouble !== undefined,
    };
  }

  get name(): string {
    return this.options.name;
  }

  get world(): World {
    return this.options.view.current;
  }

  get wishes(): SubnetWishes {
    return this.options.wishes;
  }

  /** Its part of what `tp status` tells of names. */
  dnsStatus() {
    const { options: { rules }, world } = this;
    return {
      cluster_domain: world.clusterDomain,
      unserved_namespaces: unservedOf(world.namespaces, rules),
      ...rules.status,
    };
  }
}

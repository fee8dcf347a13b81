/** The changes to this host for one connector, and their undoing. */
import {
  type EdgeReason,
  maxDomains,
  refuseZone,
  ResolverError,
  reverseZones,
} from "../dns/edges/mod.ts";
import { type Clock, type Ip, Subnet } from "../net/mod.ts";
import {
  DeviceError,
  type DeviceName,
  type NetworkEdge,
  type TunSubnet,
} from "../vpn/device.ts";
import type { ZoneUse } from "./api.ts";
import { type HostFacts, refuseDevice, refuseRoute } from "./policy.ts";
import { Refused } from "./refusal.ts";
import type { ResolverKeeper } from "./resolver_keeper.ts";
import type { UsedZone } from "./resolver_wish.ts";

const minMtu = 1280; // the least that IPv6 needs (RFC 8200 section 5)
const maxMtu = 65535;

/** How long what the host has is taken as known: a large cluster's routes come in one go. */
const factsMs = 500;

/** The most zones of reverse names, and so of names: both fit one link. */
const maxReverseZones = 64;
const maxZones = maxDomains - maxReverseZones;
/** The most top-level domains: a few that a user names, never the internet. */
const maxTopLevelZones = 8;

/** What was changed and has to be undone. */
export interface Changes {
  unreachable: readonly Subnet[];
  device?: DeviceName;
}

export interface HostOptions {
  network: NetworkEdge;
  resolver: ResolverKeeper;
  clock: Clock;
  /** Writes down what will have to be undone, before it is done. */
  record: (changes: Changes) => Promise<void>;
}

/** Without a family its subnet is absent. */
export interface WantedDevice {
  mtu: number;
  v4?: Subnet;
  v6?: Subnet;
}

interface OpenDevice extends DeviceName {
  families: TunSubnet[];
}

/** Methods throw {@link Refused} for what is not allowed or did not work. */
export class Host {
  readonly #options: HostOptions;
  #device: OpenDevice | undefined;
  #unreachable: Subnet[] = [];
  readonly #routes = new Map<string, Subnet>();
  /** For the next resolver. */
  #zones: UsedZone[] = [];
  #known: { at: number; facts: HostFacts } | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** Returns the device's name and its descriptor, which is the caller's to close with {@link Host.closeDescriptor}. */
  async openDevice(
    wanted: WantedDevice,
  ): Promise<{ name: string; fd: number }> {
    if (this.#device !== undefined) throw new Refused("device-open");
    const subnets = [wanted.v4, wanted.v6].filter((subnet) =>
      subnet !== undefined
    );
    if (
      subnets.length === 0 || wanted.mtu < minMtu || wanted.mtu > maxMtu
    ) throw new Refused("malformed");
    const { network, record } = this.#options;
    const facts = await this.#facts();
    for (const subnet of subnets) refuseIf(refuseDevice(subnet, facts));
    await record({ unreachable: subnets });
    try {
      return await refusing(() => this.#open(wanted, subnets));
    } catch (error) {
      while (this.#unreachable.length > 0) {
        network.deleteUnreachable(this.#unreachable.pop()!);
      }
      throw error;
    }
  }

  closeDescriptor(fd: number): void {
    this.#options.network.closeDescriptor(fd);
  }

  /** Sets a route; one that was set before, or is of the device's own subnet, again, as somebody has taken it away. */
  async addRoute(subnet: Subnet): Promise<void> {
    this.#needDevice();
    const { network } = this.#options;
    const facts = await this.#facts();
    // It may have gone meanwhile, with all that is of it.
    const { index, families } = this.#needDevice();
    const own = families.find((of) => of.subnet.equals(subnet));
    if (own !== undefined) {
      // The host may have come to need it since.
      refuseIf(refuseRoute(subnet, { ...facts, routes: 0 }));
      return await this.#restoreSubnet(own, index);
    }
    const text = String(subnet);
    const isAgain = this.#routes.has(text);
    const others = this.#routes.size - (isAgain ? 1 : 0);
    refuseIf(refuseRoute(subnet, { ...facts, routes: others }));
    const source = families.find((of) => of.subnet.family === subnet.family);
    if (source === undefined) throw new Refused("device-missing");
    await refusing(() => {
      if (isAgain) network.deleteRoute(subnet, { index });
      network.addRoute(subnet, { index, source: source.laptop });
    });
    this.#routes.set(text, subnet);
  }

  /** A route that was not set is no error. */
  async deleteRoute(subnet: Subnet): Promise<void> {
    const { index } = this.#needDevice();
    if (!this.#routes.has(String(subnet))) return;
    await refusing(() => this.#options.network.deleteRoute(subnet, { index }));
    this.#routes.delete(String(subnet));
  }

  /** What the next resolver asks ours, where the host can split. */
  addZone({ zone, use }: UsedZone): void {
    const topLevel = use === "ask-top-level";
    refuseIf(refuseZone(zone, { topLevel }));
    if (topLevel && this.#zonesFor(use).length >= maxTopLevelZones) {
      throw new Refused("zone-top-level");
    }
    if (this.#zones.length >= maxZones) throw new Refused("too-many-zones");
    this.#zones.push({ zone, use });
  }

  /**
   * Sets the resolver with the zones that were added since the one before, and those of the reverse names of the subnets
   * that are routed. Returns why it was set as it was.
   *
   * Only an address on the device may be a nameserver: no other process of this or another host is asked.
   */
  async setResolver(nameserver: Ip): Promise<EdgeReason> {
    const search = this.#zonesFor("search");
    const asked = this.#zonesFor("ask-top-level", "ask");
    this.#zones = [];
    const { families, name, index } = this.#needDevice();
    const device = { name, index };
    const isOnDevice = families.some(({ subnet, laptop }) =>
      subnet.contains(nameserver) && !laptop.equals(nameserver)
    );
    if (!isOnDevice) throw new Refused("nameserver-outside");
    // The resolver's keeper may make it unreachable at any time.
    const subnets = [
      ...this.#unreachable,
      new Subnet(nameserver, nameserver.bits),
    ];
    await this.#options.record({ unreachable: subnets, device });
    const reverse = reverseZones([...this.#routes.values()], maxReverseZones);
    const zones = [...asked, ...reverse];
    return await refusing(() =>
      this.#options.resolver.set({ nameserver, device, zones, search })
    );
  }

  async restoreResolver(): Promise<void> {
    await refusing(() => this.#options.resolver.restore());
  }

  /** Undoes everything, the resolver first; what fails does not keep the rest from being undone. */
  async undo(): Promise<unknown[]> {
    const { network, resolver } = this.#options;
    const device = this.#device;
    const steps: (() => void | Promise<void>)[] = [
      () => resolver.restore(),
      () => device && network.removeDevice(device),
      ...this.#unreachable.map((subnet) => () =>
        network.deleteUnreachable(subnet)
      ),
    ];
    const errors: unknown[] = [];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#device = undefined;
    this.#unreachable = [];
    this.#routes.clear();
    this.#zones = [];
    return errors;
  }

  async #open(
    wanted: WantedDevice,
    subnets: Subnet[],
  ): Promise<{ name: string; fd: number }> {
    const { network, record } = this.#options;
    for (const subnet of subnets) {
      network.addUnreachable(subnet);
      this.#unreachable.push(subnet);
    }
    const { name, index, fd } = await network.openDevice({
      mtu: wanted.mtu,
      ...wanted.v4 ? { v4: tunSubnet(wanted.v4) } : {},
      ...wanted.v6 ? { v6: tunSubnet(wanted.v6) } : {},
    });
    this.#device = { name, index, families: subnets.map(tunSubnet) };
    await record({ unreachable: subnets, device: { name, index } });
    return { name, fd };
  }

  /** Who takes its route away may have taken all. */
  #restoreSubnet(own: TunSubnet, index: number): Promise<void> {
    const { network } = this.#options;
    return refusing(() => {
      network.addUnreachable(own.subnet);
      network.restoreSubnet(own, { index });
    });
  }

  #zonesFor(...uses: ZoneUse[]): string[] {
    return this.#zones.filter(({ use }) => uses.includes(use))
      .map(({ zone }) => zone);
  }

  #needDevice(): OpenDevice {
    if (this.#device === undefined) throw new Refused("device-missing");
    return this.#device;
  }

  async #facts(): Promise<HostFacts> {
    const { network, resolver, clock } = this.#options;
    const known = this.#known;
    if (known && clock.now() - known.at < factsMs) return known.facts;
    const facts = {
      ...network.hostSubnets(this.#device?.index),
      nameservers: await resolver.nameservers(),
    };
    this.#known = { at: clock.now(), facts };
    return facts;
  }
}

function tunSubnet(subnet: Subnet): TunSubnet {
  return { subnet, laptop: subnet.at(1), peer: subnet.at(2) };
}

function refuseIf(code: ReturnType<typeof refuseRoute>): void {
  if (code !== undefined) throw new Refused(code);
}

/** Failures of the edges as refusals. */
async function refusing<T>(change: () => T | Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (error instanceof ResolverError) throw refused(error.failure, error);
    if (!(error instanceof DeviceError)) throw error;
    const { failure } = error;
    throw refused(failure === "exists" ? "subnet-taken" : failure, error);
  }
}

function refused(code: Refused["code"], cause: Error): Refused {
  return Object.assign(new Refused(code), { cause });
}

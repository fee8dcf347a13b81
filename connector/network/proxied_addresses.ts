/**
 * What is reached through the cluster because the user says so, and what is not: subnets, and the addresses of names.
 *
 * 1. Names are looked up as apps of the laptop are answered, and again and again.
 * 2. What the cluster says of a name that is reached through it is heard before an app is told it.
 * 3. An address that a name has no longer counts for a while, since names give theirs in turns, and as long as flows to it
 *    are open.
 */
import type { Fqdn } from "../../dns/mod.ts";
import { logger } from "../../log.ts";
import { type Clock, type Ip, Subnet, systemClock } from "../../net/mod.ts";
import type { AskedAddresses, ProxyWishes } from "./proxy_wishes.ts";
import { SeenAddresses } from "./seen_addresses.ts";

const log = logger("connector");

/** How often names are looked up. What is remembered of them costs nobody anything. */
const lookMs = 2_000;
/** How long the first look, and an app, may have to wait. */
const firstLookMs = 3_000;
const appWaitMs = 500;

export interface ProxiedAddressesOptions {
  wishes: ProxyWishes;
  /** What a name has by now; none where nobody knows it. */
  addressesOf: (name: string) => Promise<readonly Ip[]>;
  /** Whether flows to an address are open. */
  isInUse: (ip: Ip) => boolean;
  /** Follows what has changed; resolves when it holds. */
  onChange: () => Promise<void>;
  clock?: Clock;
}

/** A name with its addresses, as text. */
export interface FollowedName {
  readonly name: string;
  /** Whether its addresses are also reached through the cluster, or never. */
  readonly proxied: "also" | "never";
  /** Empty while nobody knows the name. */
  readonly addresses: readonly string[];
}

/** Dispose of it to look no more. */
export class ProxiedAddresses implements Disposable {
  /** Keys of the names that the cluster is asked of first. */
  readonly names: ReadonlySet<string>;
  readonly #options: ProxiedAddressesOptions;
  readonly #clock: Clock;
  /** By the key of the name. */
  readonly #seen: ReadonlyMap<string, SeenAddresses>;
  readonly #all: readonly Fqdn[];
  /** Resolves when what was noted last holds. */
  #holding: Promise<void> = Promise.resolve();
  #callOff = () => {};
  #isOver = false;

  constructor(options: ProxiedAddressesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { also, never } = options.wishes;
    this.names = new Set(also.names.map(({ key }) => key));
    this.#all = [...also.names, ...never.names];
    const { isInUse } = options;
    this.#seen = new Map(
      this.#all.map(({ key }) => [
        key,
        new SeenAddresses({ clock: this.#clock, isInUse }),
      ]),
    );
  }

  /** What is reached through the cluster, too. */
  get also(): Subnet[] {
    return this.#subnetsOf(this.#options.wishes.also);
  }

  /** What is not. */
  get never(): Subnet[] {
    return this.#subnetsOf(this.#options.wishes.never);
  }

  /** The names that are followed. */
  get followed(): FollowedName[] {
    return (["also", "never"] as const).flatMap((proxied) =>
      this.#options.wishes[proxied].names.map((name) => ({
        name: String(name).replace(/\.$/, ""),
        proxied,
        addresses: this.#seen.get(name.key)!.all.map(String),
      }))
    );
  }

  /** Begins to follow names; resolves when what they have at first holds, or is not known soon. */
  async start(): Promise<void> {
    if (this.#all.length === 0) return;
    await this.#within(firstLookMs, this.#lookOn());
  }

  /** An app is about to be told that `name` has `ips`. Resolves when it reaches them, or has waited long enough. */
  async hear(name: Fqdn, ips: readonly Ip[]): Promise<void> {
    await this.#within(appWaitMs, this.#note(name, ips));
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#callOff();
  }

  #subnetsOf({ subnets, names }: AskedAddresses): Subnet[] {
    const ofNames = names.flatMap(({ key }) => this.#seen.get(key)!.all);
    return [
      ...subnets,
      ...ofNames.map((ip) => new Subnet(ip, ip.bits)),
    ];
  }

  async #lookOn(): Promise<void> {
    await Promise.all(this.#all.map((name) => this.#look(name)));
    if (this.#isOver) return;
    this.#callOff = this.#clock.after(lookMs, () => void this.#lookOn());
  }

  async #look(name: Fqdn): Promise<void> {
    const { addressesOf } = this.#options;
    const ips = await addressesOf(String(name)).catch(() => []);
    if (!this.#isOver) await this.#note(name, ips);
  }

  /** Resolves when it holds. */
  async #note(name: Fqdn, ips: readonly Ip[]): Promise<void> {
    const seen = this.#seen.get(name.key)!;
    if (seen.note(ips)) {
      log.info("a name has other addresses", { name, addresses: seen.all });
      this.#holding = this.#options.onChange().catch((error) =>
        log.warn("other addresses of a name do not count", { name, error })
      );
    }
    await this.#holding;
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const callOff = this.#clock.after(ms, late.resolve);
    await Promise.race([work, late.promise]);
    callOff();
  }
}

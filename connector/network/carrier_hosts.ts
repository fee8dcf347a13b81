/**
 * The hosts to which a connection's carriers go, the API server and the proxy before it: their addresses must stay outside
 * the tunnel, which runs over them.
 *
 * 1. Their names are looked up at first, when the laptop's network has changed, and again and again.
 * 2. Once a later look has found what a name has, one that began before and answers after it does not count.
 * 3. An address counts for a while after its name had it last.
 * 4. While a name does not resolve, all that it had counts.
 */
import { bareHost, type ClusterAccess } from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import { type Clock, Ip, systemClock } from "../../net/mod.ts";
import { hostAddresses } from "./host_addresses.ts";
import { SeenAddresses } from "./seen_addresses.ts";

const log = logger("connector");

/** How often names are looked up. */
const lookMs = 5_000;

export interface CarrierHostsOptions {
  access: Pick<ClusterAccess, "server" | "proxy">;
  /** Called when {@link CarrierHosts.addresses} are others than before, but for the first look. Must not throw. */
  onChange: () => void;
  lookUp?: typeof hostAddresses;
  clock?: Clock;
}

interface CarrierHost {
  readonly name: string;
  readonly seen: SeenAddresses;
  /** The number of the latest look that has found addresses. */
  foundBy: number;
}

/** Dispose of it to look no more. */
export class CarrierHosts implements Disposable {
  readonly #options: CarrierHostsOptions;
  readonly #clock: Clock;
  readonly #hosts: readonly CarrierHost[];
  /** How many looks have begun. */
  #looks = 0;
  #callOff = () => {};
  #isOver = false;

  constructor(options: CarrierHostsOptions) {
    this.#options = options;
    const { access: { server, proxy }, clock = systemClock } = options;
    this.#clock = clock;
    const urls = proxy === undefined ? [server] : [server, proxy];
    this.#hosts = [...new Set(urls.map(bareHost))].map((name) => ({
      ...{ name, seen: new SeenAddresses({ clock }), foundBy: 0 },
    }));
  }

  get addresses(): Ip[] {
    return this.#hosts.flatMap(({ seen }) => seen.all);
  }

  /** Looks at first, and begins to follow names. */
  async start(): Promise<void> {
    await this.#look(() => {});
  }

  /**
   * The laptop's network has changed: names may lead elsewhere. A look that is under way is not waited for: it may ask
   * nameservers of the network before, which do not answer any more.
   */
  async look(): Promise<void> {
    await this.#look(this.#options.onChange);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#callOff();
  }

  /** Has `tell` called for each host whose addresses are others than before. */
  async #look(tell: () => void): Promise<void> {
    const number = ++this.#looks;
    this.#callOff();
    await Promise.all(this.#hosts.map(async (host) => {
      if (await this.#lookAt(host, number)) tell();
    }));
    if (number === this.#looks) this.#lookLater();
  }

  #lookLater(): void {
    const isAnyName = this.#hosts.some(({ name }) => !Ip.tryParse(name));
    if (this.#isOver || !isAnyName) return;
    this.#callOff = this.#clock.after(lookMs, () => void this.look());
  }

  /** Returns whether its addresses are others than before. */
  async #lookAt(host: CarrierHost, number: number): Promise<boolean> {
    const { lookUp = hostAddresses } = this.#options;
    const { name, seen } = host;
    const ips = await lookUp(name);
    const isLate = this.#isOver || number < host.foundBy;
    if (isLate || ips.length === 0) return false;
    host.foundBy = number;
    if (!seen.note(ips)) return false;
    log.info("where carriers go", { host: name, addresses: seen.all });
    return true;
  }
}

/**
 * The hosts to which a connection's carriers go, the API server and the proxy before it: their addresses must stay outside
 * the tunnel, which runs over them.
 *
 * 1. Their names are looked up at first, when the laptop's network has changed, and again and again.
 * 2. An address counts for a while after its name had it last.
 * 3. While a name does not resolve, all that it had counts.
 */
import type { ClusterAccess } from "../../k8s/mod.ts";
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

/** Dispose of it to look no more. */
export class CarrierHosts implements Disposable {
  readonly #options: CarrierHostsOptions;
  readonly #clock: Clock;
  /** By name. */
  readonly #seen: ReadonlyMap<string, SeenAddresses>;
  #looking: Promise<boolean> | undefined;
  #callOff = () => {};
  #isOver = false;

  constructor(options: CarrierHostsOptions) {
    this.#options = options;
    const { access: { server, proxy }, clock = systemClock } = options;
    this.#clock = clock;
    const urls = proxy === undefined ? [server] : [server, proxy];
    this.#seen = new Map(urls.map(({ hostname }) => [
      hostname.replace(/^\[|\]$/g, ""),
      new SeenAddresses({ clock }),
    ]));
  }

  get addresses(): Ip[] {
    return [...this.#seen.values()].flatMap(({ all }) => all);
  }

  /** Looks at first, and begins to follow names. */
  async start(): Promise<void> {
    await this.#lookOnce();
    this.#lookLater();
  }

  /** The laptop's network has changed: names may lead elsewhere. */
  async look(): Promise<void> {
    if (await this.#lookOnce() && !this.#isOver) this.#options.onChange();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#callOff();
  }

  #lookLater(): void {
    const isAnyName = [...this.#seen.keys()].some((host) => !Ip.tryParse(host));
    if (this.#isOver || !isAnyName) return;
    this.#callOff = this.#clock.after(lookMs, async () => {
      await this.look();
      this.#lookLater();
    });
  }

  /** Returns whether something has changed; who comes while it is looked waits for that look, and hears of no change. */
  async #lookOnce(): Promise<boolean> {
    if (this.#looking) {
      await this.#looking;
      return false;
    }
    this.#looking = this.#lookAtAll();
    try {
      return await this.#looking;
    } finally {
      this.#looking = undefined;
    }
  }

  async #lookAtAll(): Promise<boolean> {
    const { lookUp = hostAddresses } = this.#options;
    const changes = await Promise.all(
      [...this.#seen].map(async ([host, seen]) => {
        const ips = await lookUp(host);
        if (ips.length === 0 || !seen.note(ips)) return false;
        log.info("where carriers go", { host, addresses: seen.all });
        return true;
      }),
    );
    return changes.includes(true);
  }
}

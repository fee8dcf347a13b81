import { logger } from "../../log.ts";
import { Ip } from "../../net/mod.ts";
import {
  type HostChanges,
  type HostRoute,
  openHostChanges,
  readHostRoutes,
} from "../../vpn/mod.ts";
import type { HostNameservers } from "./nameservers.ts";
import { SleepWatch } from "./sleep_watch.ts";

const log = logger("connector");

/** How often is looked at what the kernel does not tell: a file of nameservers, a clock that jumps. */
const pollMs = 1_000;
/** All is looked at, whatever was told, every so many times. On a host of many interfaces it takes a while. */
const pollsOfAll = 10;
/** What changes together is looked at together, and who changes again and again, as often as the poll would. */
const burstMs = 20;
const restMs = 1_000;

export interface HostWatchOptions {
  nameservers: HostNameservers;
  /** Name of the TUN device, whose routes are not the host's. */
  device: string;
  /** Something differs from what was there before. */
  onChange: () => void;
  /** Absent where there is none. */
  ours?: OurRoutes;
  /** The host has slept. */
  onWake: () => void;
  pollMs?: number;
}

/** The routes by the TUN device. */
export interface OurRoutes {
  /** Whether one of them is not among all `routes` of the host. */
  lacks: (routes: readonly HostRoute[]) => boolean;
  /** Called at each look at which it is so. */
  onLack: () => void;
}

/** What there was at the last look, to be compared. */
interface State {
  readonly nameservers: string;
  readonly network: string;
}

/**
 * Watches what of the host must stay outside the tunnel, and what the tunnel stands on: its nameservers, the networks
 * that it is in, and its addresses there, but for what is of a link alone; and whether the tunnel's own routes are there.
 * The kernel tells of networks, addresses and routes at once; the nameservers are looked at every second.
 */
export class HostWatch implements AsyncDisposable {
  readonly #options: HostWatchOptions;
  readonly #sleep = new SleepWatch();
  readonly #poll: ReturnType<typeof setInterval>;
  readonly #changes: HostChanges | undefined;
  readonly #listening: Promise<void>;
  readonly #disposed = Promise.withResolvers<void>();
  #looking = Promise.resolve();
  #state: State;
  #polls = 0;
  #changedMs = -Infinity;

  /** Looks once before it resolves. */
  static async start(options: HostWatchOptions): Promise<HostWatch> {
    // What changes during the look is told.
    const changes = listen();
    try {
      const nameservers = await nameserversOf(options);
      const network = networkOf(options, await readHostRoutes());
      const state = { nameservers, network };
      return new HostWatch(options, { changes, state });
    } catch (error) {
      await changes?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(
    options: HostWatchOptions,
    { changes, state }: { changes: HostChanges | undefined; state: State },
  ) {
    this.#options = options;
    this.#state = state;
    this.#changes = changes;
    this.#listening = this.#listen();
    this.#poll = setInterval(() => {
      const isTold = this.#changes !== undefined;
      this.#look({ all: !isTold || ++this.#polls % pollsOfAll === 0 });
    }, options.pollMs ?? pollMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#poll);
    this.#disposed.resolve();
    await this.#changes?.[Symbol.asyncDispose]();
    await this.#listening;
    await this.#looking;
  }

  async #listen(): Promise<void> {
    while (await this.#changes?.next()) {
      const restedMs = performance.now() - this.#changedMs;
      await this.#pause(Math.max(burstMs, restMs - restedMs));
      await this.#look({ all: true });
    }
  }

  /** Ends early with the watch. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([promise, this.#disposed.promise]);
    clearTimeout(timer);
  }

  /** One look after the other. */
  #look({ all }: { all: boolean }): Promise<void> {
    return this.#looking = this.#looking.then(async () => {
      const { onChange, onWake, ours } = this.#options;
      const hasSlept = this.#sleep.hasSlept();
      if (hasSlept) onWake();
      const before = this.#state;
      const nameservers = await nameserversOf(this.#options);
      const routes = all || hasSlept ? await readHostRoutes() : undefined;
      const network = routes === undefined
        ? before.network
        : networkOf(this.#options, routes);
      this.#state = { nameservers, network };
      const isSame = nameservers === before.nameservers &&
        network === before.network;
      const isLacking = routes && ours?.lacks(routes);
      if (isSame && !isLacking) return;
      this.#changedMs = performance.now();
      if (!isSame) onChange();
      if (isLacking) ours?.onLack();
    }).catch((error) => log.warn("the host cannot be looked at", { error }));
  }
}

function listen(): HostChanges | undefined {
  try {
    return openHostChanges();
  } catch (error) {
    log.warn("the host is only looked at every second", { error });
    return undefined;
  }
}

async function nameserversOf(
  { nameservers }: HostWatchOptions,
): Promise<string> {
  return JSON.stringify(await nameservers.refresh());
}

function networkOf(
  { device }: HostWatchOptions,
  routes: readonly HostRoute[],
): string {
  const isLeftOut = (name: string, ip: Ip) => name === device || ip.isLinkLocal;
  const others = routes
    .filter((route) => !isLeftOut(route.device, route.subnet.base));
  const addresses = Deno.networkInterfaces()
    .filter(({ name, address }) => !isLeftOut(name, Ip.parse(address)))
    .map(({ name, address }) => `${name} ${address}`).sort();
  return JSON.stringify([others, addresses]);
}

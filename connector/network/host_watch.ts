import { logger } from "../../log.ts";
import { Ip } from "../../net/mod.ts";
import {
  type HostChanges,
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
  /** The host has slept. */
  onWake: () => void;
  pollMs?: number;
}

/** What there was at the last look, to be compared. */
interface State {
  readonly nameservers: string;
  readonly network: string;
}

/**
 * Watches what of the host must stay outside the tunnel, and what the tunnel stands on: its nameservers, the networks
 * that it is in, and its addresses there, but for what is of a link alone. The kernel tells of networks and addresses at
 * once; the nameservers are looked at every second.
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
      const state = { nameservers, network: await networkOf(options) };
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
      const { onChange, onWake } = this.#options;
      const hasSlept = this.#sleep.hasSlept();
      if (hasSlept) onWake();
      const before = this.#state;
      this.#state = {
        nameservers: await nameserversOf(this.#options),
        network: all || hasSlept
          ? await networkOf(this.#options)
          : before.network,
      };
      const isSame = this.#state.nameservers === before.nameservers &&
        this.#state.network === before.network;
      if (isSame) return;
      this.#changedMs = performance.now();
      onChange();
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

async function networkOf({ device }: HostWatchOptions): Promise<string> {
  const isLeftOut = (name: string, ip: Ip) => name === device || ip.isLinkLocal;
  const routes = (await readHostRoutes())
    .filter((route) => !isLeftOut(route.device, route.subnet.base));
  const addresses = Deno.networkInterfaces()
    .filter(({ name, address }) => !isLeftOut(name, Ip.parse(address)))
    .map(({ name, address }) => `${name} ${address}`).sort();
  return JSON.stringify([routes, addresses]);
}

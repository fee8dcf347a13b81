import { logger } from "../log.ts";
import { HostChanges, readHostRoutes } from "../vpn/mod.ts";
import type { HostNameservers } from "./nameservers.ts";
import { SleepWatch } from "./sleep_watch.ts";

const log = logger("connector");

/** How often the host is looked at without a word of the kernel's: a file of nameservers, a clock that jumps. */
const pollMs = 1_000;
/** What changes together is looked at together. */
const burstMs = 20;

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

/**
 * Watches what of the host must stay outside the tunnel, and what the tunnel stands on: its nameservers, the networks
 * that it is in, and its addresses there. The kernel tells of these at once; every second all is looked at.
 */
export class HostWatch implements AsyncDisposable {
  readonly #options: HostWatchOptions;
  readonly #sleep = new SleepWatch();
  readonly #poll: ReturnType<typeof setInterval>;
  readonly #changes: HostChanges | undefined;
  readonly #listening: Promise<void>;
  #looking = Promise.resolve();
  #state: string;

  /** Looks once before it resolves. */
  static async start(options: HostWatchOptions): Promise<HostWatch> {
    return new HostWatch(options, await stateOf(options));
  }

  private constructor(options: HostWatchOptions, state: string) {
    this.#options = options;
    this.#state = state;
    this.#changes = listen();
    this.#listening = this.#listen();
    this.#poll = setInterval(() => this.#look(), options.pollMs ?? pollMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#poll);
    await this.#changes?.[Symbol.asyncDispose]();
    await this.#listening;
    await this.#looking;
  }

  async #listen(): Promise<void> {
    while (await this.#changes?.next()) {
      await new Promise((resolve) => setTimeout(resolve, burstMs));
      await this.#look();
    }
  }

  /** One look after the other. */
  #look(): Promise<void> {
    return this.#looking = this.#looking.then(async () => {
      const { onChange, onWake } = this.#options;
      if (this.#sleep.hasSlept()) onWake();
      const before = this.#state;
      this.#state = await stateOf(this.#options);
      if (this.#state !== before) onChange();
    }).catch((error) => log.warn("the host cannot be looked at", { error }));
  }
}

function listen(): HostChanges | undefined {
  try {
    return new HostChanges();
  } catch (error) {
    log.warn("the host is only looked at every second", { error });
    return undefined;
  }
}

async function stateOf(
  { nameservers, device }: HostWatchOptions,
): Promise<string> {
  const routes = (await readHostRoutes())
    .filter((route) => route.device !== device);
  const addresses = Deno.networkInterfaces()
    .filter(({ name }) => name !== device)
    .map(({ name, address }) => `${name} ${address}`).sort();
  return JSON.stringify([await nameservers.refresh(), routes, addresses]);
}

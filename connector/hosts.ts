import {
  HostNetwork,
  type HostNetworkOptions,
} from "./network/host_network.ts";

/** The host's network, for as long as somebody uses it. */
export interface HostUse extends AsyncDisposable {
  readonly host: HostNetwork;
}

/** Opens the host's network for the first who uses it, and gives it back after the last. */
export class Hosts {
  readonly #openHost: typeof HostNetwork.open;
  #current: { host: Promise<HostNetwork>; users: number } | undefined;
  #closing: Promise<void> = Promise.resolve();

  constructor(openHost: typeof HostNetwork.open = HostNetwork.open) {
    this.#openHost = openHost;
  }

  /** Who waits for another to open it, which fails, opens it. Rejects as opening does, or with the signal's reason. */
  async use(options: HostNetworkOptions): Promise<HostUse> {
    for (;;) {
      options.signal.throwIfAborted();
      const closing = this.#closing;
      await closing;
      // The last one may have gone meanwhile.
      if (closing !== this.#closing) continue;
      const isOpener = this.#current === undefined;
      const current = this.#current ??= {
        host: this.#openHost(options),
        users: 0,
      };
      current.users++;
      try {
        const host = await current.host;
        return {
          host,
          [Symbol.asyncDispose]: () => this.#release(current, host),
        };
      } catch (error) {
        if (this.#current === current) this.#current = undefined;
        if (isOpener) throw error;
      }
    }
  }

  async #release(
    current: { users: number },
    host: HostNetwork,
  ): Promise<void> {
    if (--current.users > 0) return;
    this.#current = undefined;
    this.#closing = host[Symbol.asyncDispose]().catch(() => {});
    await this.#closing;
  }
}

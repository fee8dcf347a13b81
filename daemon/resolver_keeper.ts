import type { ResolverEdge } from "../dns/edge.ts";
import { logger } from "../log.ts";
import type { Clock, Ip } from "../net/mod.ts";
import { heartbeatMs } from "./api.ts";

const log = logger("daemon");

/** Two missed heartbeats, and a little for a busy machine. */
export const silenceMs = 2 * heartbeatMs + 200;

/** Keeps the host's resolver ours only while the connector lives: the way names keep resolving when it hangs. */
export class ResolverKeeper {
  readonly #edge: ResolverEdge;
  readonly #clock: Clock;
  #wanted: Ip | undefined;
  #applied = false;
  #heardAt: number;

  constructor(edge: ResolverEdge, clock: Clock) {
    this.#edge = edge;
    this.#clock = clock;
    this.#heardAt = clock.now();
  }

  /** The host's own nameservers. */
  nameservers(): Promise<readonly Ip[]> {
    return this.#edge.nameservers();
  }

  /** @throws what {@link ResolverEdge.apply} throws. */
  async set(nameserver: Ip): Promise<void> {
    await this.#edge.apply(nameserver);
    this.#wanted = nameserver;
    this.#applied = true;
  }

  async restore(): Promise<void> {
    this.#wanted = undefined;
    await this.#edge.restore();
    this.#applied = false;
  }

  /** The connector lives. A resolver that was restored because it did not is applied again. */
  async heard(): Promise<void> {
    this.#heardAt = this.#clock.now();
    if (this.#wanted === undefined || this.#applied) return;
    await this.#edge.apply(this.#wanted);
    this.#applied = true;
    log.info("the connector is back: resolver applied again");
  }

  /** Call several times a second. `stopped`: the connector is known to be stopped by a signal. */
  async tick({ stopped }: { stopped: boolean }): Promise<void> {
    if (!this.#applied) return;
    const silent = this.#clock.now() - this.#heardAt > silenceMs;
    if (!silent && !stopped) return await this.#edge.follow();
    await this.#edge.restore();
    this.#applied = false;
    log.warn("the connector is silent: resolver restored", { stopped });
  }
}

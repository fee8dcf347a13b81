import type {
  ChoosingEdge,
  EdgeReason,
  ResolverPlan,
} from "../dns/edges/mod.ts";
import { logger } from "../log.ts";
import type { Clock, Ip } from "../net/mod.ts";
import { heartbeatMs } from "./api.ts";

const log = logger("daemon");

/** Two missed heartbeats, and a little for a busy machine. */
export const silenceMs = 2 * heartbeatMs + 200;

export interface ResolverKeeperOptions {
  edge: ChoosingEdge;
  clock: Clock;
  /** Makes the nameserver unreachable, so that programs that still ask it turn to the host's own at once. */
  block: (nameserver: Ip) => void;
  unblock: (nameserver: Ip) => void;
}

/** Keeps the host's resolver ours only while the connector lives: the way names keep resolving when it hangs. */
export class ResolverKeeper {
  readonly #options: ResolverKeeperOptions;
  #wanted: ResolverPlan | undefined;
  #applied = false;
  #blocked: Ip | undefined;
  #heardAt: number;

  constructor(options: ResolverKeeperOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
  }

  /** The host's own nameservers. */
  nameservers(): Promise<readonly Ip[]> {
    return this.#options.edge.nameservers();
  }

  /** Returns why the edge that holds it was chosen. @throws what {@link ResolverEdge.apply} throws. */
  async set(plan: ResolverPlan): Promise<EdgeReason> {
    const { edge } = this.#options;
    await edge.apply(plan);
    this.#unblock();
    this.#wanted = plan;
    this.#applied = true;
    return edge.choice!.reason;
  }

  async restore(): Promise<void> {
    this.#wanted = undefined;
    await this.#options.edge.restore();
    this.#applied = false;
    this.#unblock();
  }

  /** The connector lives. A resolver that was restored because it did not is applied again. */
  async heard(): Promise<void> {
    this.#heardAt = this.#options.clock.now();
    if (this.#wanted === undefined || this.#applied) return;
    this.#unblock();
    await this.#options.edge.apply(this.#wanted);
    this.#applied = true;
    log.info("the connector is back: resolver applied again");
  }

  /** Call several times a second. `stopped`: the connector is known to be stopped by a signal. */
  async tick({ stopped }: { stopped: boolean }): Promise<void> {
    const { edge, clock, block } = this.#options;
    if (!this.#applied || this.#wanted === undefined) return;
    const silent = clock.now() - this.#heardAt > silenceMs;
    if (!silent && !stopped) return await edge.follow();
    await edge.restore();
    this.#applied = false;
    this.#blocked = this.#wanted.nameserver;
    block(this.#blocked);
    log.warn("the connector is silent: resolver restored", { stopped });
  }

  #unblock(): void {
    if (this.#blocked !== undefined) this.#options.unblock(this.#blocked);
    this.#blocked = undefined;
  }
}

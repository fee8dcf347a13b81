/**
 * Connections of one port that are joined as they are, with the app or with the laptop. HTTP is read as requests from the
 * moment on that the rules of the port want it otherwise, or that the agent leaves and must let idle clients go.
 */
import { Standing, type StandingEnd } from "../http/mod.ts";
import type { AgentPort } from "../manager/api.ts";
import type { Conn } from "../net/mod.ts";
import type { Managers } from "./managers.ts";
import type { PortRules } from "./rule_book.ts";

export interface StandingConnsOptions {
  readonly port: AgentPort;
  readonly managers: Pick<Managers, "book" | "bell">;
  /** Fires when the agent is told to leave. */
  readonly leaving: AbortSignal;
}

/** How a client was joined. */
export interface Joined {
  readonly rules: PortRules;
  /** With the app; else with the laptop. */
  readonly isApp: boolean;
}

export class StandingConns implements Disposable {
  readonly #options: StandingConnsOptions;
  readonly #conns = new Map<Standing, Joined>();
  readonly #listenNoMore: () => void;

  constructor(options: StandingConnsOptions) {
    this.#options = options;
    const { managers: { bell }, leaving } = options;
    this.#listenNoMore = bell.listen(this.#look);
    leaving.addEventListener("abort", this.#look, { once: true });
  }

  [Symbol.dispose](): void {
    this.#listenNoMore();
    this.#options.leaving.removeEventListener("abort", this.#look);
  }

  /** Joins them. Resolves when both are closed, or with them when they are to go on request by request. */
  async join(client: Conn, to: Conn, joined: Joined): Promise<StandingEnd> {
    const conn = new Standing(client, to);
    conn.areRequestsWanted = this.#areRequestsWanted(joined);
    this.#conns.set(conn, joined);
    try {
      return await conn.run();
    } finally {
      this.#conns.delete(conn);
    }
  }

  /** Without rules, what the app has is where it belongs. */
  #areRequestsWanted({ rules, isApp }: Joined): boolean {
    const { managers: { book }, port, leaving } = this.#options;
    const { ids } = book.at(port);
    return leaving.aborted || ids !== rules.ids && !(isApp && ids === "");
  }

  readonly #look = () => {
    for (const [conn, joined] of this.#conns) {
      conn.areRequestsWanted = this.#areRequestsWanted(joined);
    }
  };
}

/**
 * Connections of one port that are joined with the app as they are. HTTP is read as requests from the moment on that
 * rules come for the port, or that the agent leaves and must let idle clients go.
 */
import { type AtRest, Standing } from "../http/mod.ts";
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

export class StandingConns implements Disposable {
  readonly #options: StandingConnsOptions;
  readonly #conns = new Set<Standing>();
  readonly #listenNoMore: () => void;
  #rules: PortRules;

  constructor(options: StandingConnsOptions) {
    this.#options = options;
    const { managers: { book, bell }, port, leaving } = options;
    this.#rules = book.at(port);
    this.#listenNoMore = bell.listen(() => this.#onBell());
    leaving.addEventListener("abort", this.#wantAll, { once: true });
  }

  [Symbol.dispose](): void {
    this.#listenNoMore();
    this.#options.leaving.removeEventListener("abort", this.#wantAll);
  }

  /**
   * Joins them. Resolves when both are closed, or with them when they are to go on request by request.
   *
   * @param rules By which the client was given to the app.
   */
  async join(
    client: Conn,
    app: Conn,
    rules: PortRules,
  ): Promise<AtRest | undefined> {
    const { managers: { book }, port, leaving } = this.#options;
    const conn = new Standing(client, app);
    const now = book.at(port);
    conn.areRequestsWanted = leaving.aborted ||
      now.ids !== "" && now.ids !== rules.ids;
    this.#conns.add(conn);
    try {
      return await conn.run();
    } finally {
      this.#conns.delete(conn);
    }
  }

  #onBell(): void {
    const { managers: { book }, port, leaving } = this.#options;
    const { ids } = this.#rules;
    this.#rules = book.at(port);
    if (this.#rules.ids === ids || leaving.aborted) return;
    const areWanted = this.#rules.ids !== "";
    for (const conn of this.#conns) conn.areRequestsWanted = areWanted;
  }

  readonly #wantAll = () => {
    for (const conn of this.#conns) conn.areRequestsWanted = true;
  };
}

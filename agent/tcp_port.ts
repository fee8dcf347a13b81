/**
 * One TCP port of the app, which the agent serves in its place.
 *
 * 1. A connection is routed by the rules of the moment: as requests, to a laptop, or to the app.
 * 2. Where it is joined with it stays, but for HTTP that the app has: that goes on request by request when rules come.
 * 3. A laptop that does not take it leaves it to the app; an app that does not resets it, as it would have itself.
 */
import {
  ByteSource,
  type Destination,
  serveHttp,
  tappedPipe,
  watchClient,
} from "../http/mod.ts";
import { logger } from "../log.ts";
import type { AgentPort, Rule } from "../manager/api.ts";
import { type Clock, type Conn, connPair, Ip, pipe } from "../net/mod.ts";
import type { Slots } from "../net/mod.ts";
import { acceptLoop, TcpConn } from "../tcp/mod.ts";
import type { App, Family } from "./app.ts";
import type { Counters } from "./counters.ts";
import { Destinations } from "./destinations.ts";
import type { Fallbacks } from "./fallbacks.ts";
import { type Laptops, RuleEndedError } from "./laptops.ts";
import type { Managers } from "./managers.ts";
import type { PortRules } from "./rule_book.ts";
import { StandingConns } from "./standing_conns.ts";

const log = logger("agent");

export interface TcpPortOptions {
  readonly port: AgentPort;
  readonly listener: Deno.TcpListener;
  readonly app: App;
  readonly managers: Pick<Managers, "book" | "bell" | "settled">;
  readonly laptops: Laptops;
  /** Places for connections, shared with the other ports. */
  readonly slots: Slots;
  readonly counters: Counters;
  readonly fallbacks: Fallbacks;
  /** Fires when the agent is to leave: who speaks HTTP is told so. */
  readonly leaving: AbortSignal;
  readonly clock: Clock;
}

export class TcpPort implements AsyncDisposable {
  readonly #options: TcpPortOptions;
  readonly #accepting: Promise<void>;
  readonly #standing: StandingConns;
  /** Calls off what is under way to where it goes. */
  readonly #closed = new AbortController();

  /** Starts to accept. */
  constructor(options: TcpPortOptions) {
    this.#options = options;
    const { listener, clock } = options;
    this.#standing = new StandingConns(options);
    this.#accepting = acceptLoop(listener, {
      take: (conn) => this.#take(conn),
      onTrouble: (error) =>
        log.warn("a connection was not accepted", { error }),
      clock,
    });
  }

  /** Accepts no more; connections that stand go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.listener.close();
    await this.#accepting;
    this.#standing[Symbol.dispose]();
    this.#closed.abort();
  }

  #take(conn: Deno.TcpConn): void {
    const { slots, counters } = this.#options;
    const client = new TcpConn(conn);
    const place = slots.take();
    if (place === undefined) {
      counters.add("turnedAway");
      return client.reset();
    }
    this.#serve(client, familyOf(conn)).catch((error) => {
      counters.add("refused");
      log.debug("connection broken off", { error });
      client.reset();
    }).finally(() => place[Symbol.dispose]());
  }

  /** @throws {RefusedError} when nobody takes the connection. */
  async #serve(from: Conn, family: Family): Promise<void> {
    const { managers, port } = this.#options;
    if (managers.settled) await managers.settled;
    const rules = managers.book.at(port);
    if (rules.isAboutRequests) return await this.#serveHttp(from, family);
    const { client, conn, isApp } = await this.#openFor(from, family, rules);
    if (rules.taps.length > 0) {
      const taps = this.#destinations(family).taps(rules);
      const options = { onTapLost: this.#onTapLost };
      return void await tappedPipe(client, conn, taps, options);
    }
    if (!isApp) return void await pipe(client, conn);
    const atRest = await this.#standing.join(client, conn, rules);
    if (atRest) await this.#serveHttp(atRest.client, family, atRest.app);
  }

  /** A client that leaves while it waits for a laptop is not waited with. */
  async #openFor(from: Conn, family: Family, { whole }: PortRules) {
    const { signal } = this.#closed;
    if (whole === undefined) {
      return { client: from, ...await this.#open(family, signal) };
    }
    const client = new ByteSource(from);
    const { clock } = this.#options;
    using watch = watchClient(client, { clock, signal });
    return { client, ...await this.#open(family, watch.gone) };
  }

  /** @param resumed The app's connection of a client that has been speaking with it. */
  async #serveHttp(
    client: Conn,
    family: Family,
    resumed?: Conn,
  ): Promise<void> {
    const { managers, port, counters, leaving, clock } = this.#options;
    counters.add("http");
    const destinations = this.#destinations(family);
    const rules = managers.book.at(port);
    const taps = destinations.taps(rules);
    await serveHttp(client, {
      route: (request) => destinations.route(request),
      otherwise: resumed || rules.whole === undefined && taps.length === 0
        ? destinations.app
        : { open: ({ signal }) => this.#openTapped(family, taps, signal) },
      ...resumed && { resumed },
      signal: this.#closed.signal,
      drain: leaving,
      onTapLost: this.#onTapLost,
      clock,
    });
  }

  /** For a connection that turns out to carry no requests. */
  async #openTapped(
    family: Family,
    taps: readonly Destination[],
    signal: AbortSignal,
  ): Promise<Conn> {
    const { conn } = await this.#open(family, signal);
    if (taps.length === 0) return conn;
    const [near, far] = connPair();
    void tappedPipe(far, conn, taps, { onTapLost: this.#onTapLost });
    return near;
  }

  #destinations(family: Family): Destinations {
    const { managers: { book }, ...options } = this.#options;
    return new Destinations({
      ...{ ...options, book },
      openApp: (options) => this.#openApp(family, options),
    });
  }

  readonly #onTapLost = (_tap: Destination, error: Error) => {
    this.#options.counters.add("tapsLost");
    log.debug("a copy was broken off", { error });
  };

  async #open(
    family: Family,
    signal: AbortSignal,
  ): Promise<{ conn: Conn; isApp: boolean }> {
    const { managers, port, counters } = this.#options;
    for (;;) {
      const { whole } = managers.book.at(port);
      const conn = whole && await this.#openLaptop(whole, signal);
      if (conn === "again") continue;
      if (conn !== undefined) {
        counters.add("laptop");
        return { conn, isApp: false };
      }
      const app = await this.#openApp(family, { signal });
      return { conn: app, isApp: true };
    }
  }

  async #openApp(
    family: Family,
    { signal }: { signal: AbortSignal },
  ): Promise<Conn> {
    const { app, counters } = this.#options;
    const conn = await app.open(family, { signal });
    counters.add("app");
    return conn;
  }

  /** `undefined` when the app is to have it in the laptop's place; "again" when the rules have changed. */
  async #openLaptop(
    rule: Rule,
    signal: AbortSignal,
  ): Promise<Conn | "again" | undefined> {
    const { laptops, port, fallbacks } = this.#options;
    try {
      return await laptops.open(rule, port, { signal });
    } catch (error) {
      if (error instanceof RuleEndedError) return "again";
      signal.throwIfAborted();
      // There is no app.
      if (rule.mode === "replace") throw error;
      fallbacks.add(rule, error);
      return undefined;
    }
  }
}

/** By which the client came. An IPv4 client of a dual-stack listener has its address in IPv6 dress. */
function familyOf({ remoteAddr }: Deno.TcpConn): Family {
  const { hostname } = remoteAddr;
  const isDressed = /^::ffff:\d+\./i.test(hostname);
  return isDressed ? 4 : Ip.parse(hostname).family;
}

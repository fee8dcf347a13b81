/**
 * One TCP port of the app, which the agent serves in its place.
 *
 * 1. A connection is routed by the rules of the moment: as requests, to a laptop, or to the app.
 * 2. Where it is joined with it stays, but for HTTP: that goes on request by request when the rules change.
 * 3. A laptop that does not take it leaves it to the app; HTTP request by request, as it may take the next one. An app that
 *    does not resets it, as it would have itself.
 */
import {
  ByteSource,
  type Destination,
  serveHttp,
  type ServeOptions,
  tapped,
  tappedPipe,
  watchClient,
} from "../http/mod.ts";
import { logger } from "../log.ts";
import type { AgentPort, Rule } from "../manager/api.ts";
import { type Clock, type Conn, connPair, Ip } from "../net/mod.ts";
import type { Slots } from "../net/mod.ts";
import { acceptLoop, TcpConn } from "../tcp/mod.ts";
import type { App, Family } from "./app.ts";
import type { Counters } from "./counters.ts";
import { Destinations } from "./destinations.ts";
import type { Fallbacks } from "./fallbacks.ts";
import { type Laptops, RuleEndedError } from "./laptops.ts";
import type { Managers } from "./managers.ts";
import type { PortRules } from "./rule_book.ts";
import { SignalFan } from "./signal_fan.ts";
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

/** A connection that a laptop did not take. */
interface Refused {
  /** By which it was the laptop's. */
  readonly refused: Rule;
}

export class TcpPort implements AsyncDisposable {
  readonly #options: TcpPortOptions;
  readonly #accepting: Promise<void>;
  readonly #standing: StandingConns;
  /** Calls off what is under way to where it goes. */
  readonly #closed = new AbortController();
  /** For each connection its own. */
  readonly #ends = new SignalFan(this.#closed.signal);
  readonly #leavings: SignalFan;

  /** Starts to accept. */
  constructor(options: TcpPortOptions) {
    this.#options = options;
    const { listener, leaving, clock } = options;
    this.#leavings = new SignalFan(leaving);
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
    const { client, opened } = await this.#openFor(from, family, rules);
    if ("refused" in opened) {
      return await this.#serveHttp(client, family, opened);
    }
    const { conn, isApp } = opened;
    const join = (client: Conn) =>
      this.#standing.join(client, conn, { rules, isApp });
    const taps = this.#destinations(family).taps(rules);
    const { end, done } = taps.length === 0
      ? { end: await join(client), done: undefined }
      : await tapped(client, taps, join, { onTapLost: this.#onTapLost });
    if (typeof end === "object") {
      if (!isApp) end.app.close();
      const resumed = isApp ? { app: end.app } : {};
      await this.#serveHttp(end.client, family, { resumed });
    }
    await done;
  }

  /** A client that leaves while it waits for a laptop is not waited with. */
  async #openFor(from: Conn, family: Family, { whole }: PortRules) {
    using end = this.#ends.branch();
    const { signal } = end;
    if (whole === undefined) {
      return { client: from, opened: await this.#open(family, signal) };
    }
    const client = new ByteSource(from);
    const { clock } = this.#options;
    using watch = watchClient(client, { clock, signal });
    return { client, opened: await this.#open(family, watch.gone) };
  }

  /** @param so What has been done for the client: it has had answers, or its laptop did not take the connection. */
  async #serveHttp(
    client: Conn,
    family: Family,
    so: Pick<ServeOptions, "resumed"> & Partial<Refused> = {},
  ): Promise<void> {
    const { resumed } = so;
    let { refused } = so;
    const { managers, port, counters, clock } = this.#options;
    counters.add("http");
    using end = this.#ends.branch();
    using leaving = this.#leavings.branch();
    const destinations = this.#destinations(family);
    const rules = managers.book.at(port);
    const taps = destinations.taps(rules);
    const isApps = rules.whole === undefined || refused !== undefined;
    await serveHttp(client, {
      route: (request) => {
        const routed = destinations.route(request, { refused });
        refused = undefined;
        return routed;
      },
      otherwise: resumed || isApps && taps.length === 0 ? destinations.app : {
        open: async ({ signal }) => {
          const conn = isApps
            ? await this.#openApp(family, { signal })
            : await this.#openEither(family, signal);
          return this.#tapped(conn, taps);
        },
      },
      ...resumed && { resumed },
      signal: end.signal,
      drain: leaving.signal,
      onTapLost: this.#onTapLost,
      clock,
    });
  }

  /** For a connection that turns out to carry no requests. */
  #tapped(conn: Conn, taps: readonly Destination[]): Conn {
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

  /** The laptop of all traffic, where there is one; else the app. */
  async #open(
    family: Family,
    signal: AbortSignal,
  ): Promise<{ conn: Conn; isApp: boolean } | Refused> {
    const { managers, port, counters } = this.#options;
    for (;;) {
      const { whole } = managers.book.at(port);
      if (whole === undefined) {
        return { conn: await this.#openApp(family, { signal }), isApp: true };
      }
      const conn = await this.#openLaptop(whole, signal);
      if (conn === "again") continue;
      if (conn === undefined) return { refused: whole };
      counters.add("laptop");
      return { conn, isApp: false };
    }
  }

  /** As {@link #open}; what the laptop does not take is the app's. */
  async #openEither(family: Family, signal: AbortSignal): Promise<Conn> {
    const opened = await this.#open(family, signal);
    return "conn" in opened
      ? opened.conn
      : await this.#openApp(family, { signal });
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

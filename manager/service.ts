/**
 * Serves the streams that laptops open.
 *
 * 1. The target is read; one that this release does not know is refused.
 * 2. An address is held against the leash.
 * 3. It is dialled, the stream accepted and joined with what was dialled. What went wrong is the refusal; what was
 *    forbidden is told as well.
 *
 * A question to DNS and the view of the cluster are answered on the stream itself.
 */
import { logger, setLogLevelFor } from "../log.ts";
import {
  type Clock,
  type Conn,
  type Endpoint,
  type Ip,
  pipe,
  pipeDatagrams,
  RefusedError,
  Slots,
  writeAll,
  writeAnswer,
} from "../net/mod.ts";
import {
  dialTcp,
  type OpenPingSocket,
  openPingSocket,
  refusalOfError,
} from "../tcp/mod.ts";
import type { Incoming, Session } from "../tunnel/mod.ts";
import { carriesDatagrams, type InterceptedTarget } from "./agent_api.ts";
import type { ClusterDns } from "./cluster_dns.ts";
import { type DirectOffer, formatDirectOffer } from "./direct_offer.ts";
import { Echoes } from "./echoes.ts";
import type { Feed } from "./feed.ts";
import type { ForbiddenWish } from "./laptop_audit.ts";
import type { LogWish } from "./log_wish.ts";
import { placeIn } from "./place_in.ts";
import { decodeTarget, type Target } from "./target.ts";
import { UdpFlows } from "./udp_flows.ts";
import type { World } from "./world.ts";
import { worldLine } from "./world_line.ts";

/** Bounds of all sessions together; who comes above is refused as overloaded. */
const maxDials = 4096;
const maxLookups = 1024;
const maxTcpConns = 65_536;

export interface ServiceOptions {
  dns: ClusterDns;
  world: Feed<World>;
  /** The view of some namespaces alone, until it is disposed of. Throws {@link RefusedError} for want of room. */
  worldOf: (
    namespaces: readonly string[],
  ) => Disposable & Pick<Feed<World>, "follow">;
  /** Where carriers can join directly; absent where they cannot. */
  direct?: Feed<DirectOffer> | undefined;
  /** The leash: says why the manager may not go somewhere, or `undefined` when it may. */
  whyForbidden: (to: Endpoint) => string | undefined;
  /** Opens sockets for ICMP echo; without, those of the system. */
  openPing?: OpenPingSocket;
  /** Joins the stream with one of an agent; throws when it does not. */
  servePod: (
    incoming: Incoming,
    target: InterceptedTarget,
    session: Session,
  ) => Promise<void>;
  /** Is told what a laptop may not have, as often as it asks. */
  onForbidden: (wish: ForbiddenWish) => void;
  clock: Clock;
}

const log = logger("manager");

export class Service implements AsyncDisposable {
  readonly #options: ServiceOptions;
  readonly #dials = new Slots(maxDials);
  readonly #lookups = new Slots(maxLookups);
  readonly #tcpConns = new Slots(maxTcpConns);
  readonly #udpFlows: UdpFlows;
  readonly #echoes: Echoes;
  readonly #leaving = new AbortController();

  constructor(options: ServiceOptions) {
    this.#options = options;
    const { whyForbidden, clock, openPing: open = openPingSocket } = options;
    this.#udpFlows = new UdpFlows({
      ...{ whyForbidden, clock },
      isOfService: ({ ip }) =>
        options.world.value?.serviceSubnets.some((one) => one.contains(ip)) ??
          false,
    });
    this.#echoes = new Echoes({ clock, open });
  }

  /** Answers one stream of a laptop's session. Returns at once; nothing is thrown later. */
  serve(incoming: Incoming, session: Session): void {
    this.#serve(incoming, session).catch((error) => {
      const { refusal, message: why } = refusalOfError(error);
      if (refusal === "forbidden") {
        this.#options.onForbidden({ session, target: incoming.target, why });
      }
      incoming.refuse(refusal, why);
    });
  }

  /**
   * Ends the laptops' views of the cluster, by which they know, and takes no more streams. Resolves when those to
   * addresses of the cluster have ended by themselves.
   */
  async drain(): Promise<void> {
    this.#leaving.abort();
    await this.#dials.empty();
    await this.#tcpConns.empty();
    await this.#echoes.stop();
  }

  /** To be called once the sessions are over. Resolves when no flow of theirs has a socket any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#udpFlows.empty();
  }

  async #serve(incoming: Incoming, session: Session): Promise<void> {
    if (this.#leaving.signal.aborted) {
      throw new RefusedError("gone", "The manager is leaving");
    }
    const target = decodeTarget(incoming.target);
    if (target === undefined || carriesOther(target, incoming)) {
      const detail = "The manager does not know what is wanted of it";
      throw new RefusedError("unknown-target", detail);
    }
    switch (target.kind) {
      case "tcp":
        return await this.#serveTcp(incoming, target);
      case "udp":
        this.#mustBeAllowed(target);
        return await this.#udpFlows.serve(incoming, target, session);
      case "echo":
        return await this.#serveEchoes(incoming, target.ip, session);
      case "lookup":
        return await this.#serveLookup(incoming, target.query);
      case "world":
        return await this.#serveWorld(incoming, target.namespaces);
      case "direct":
        return await this.#serveDirect(incoming);
      case "log":
        return await serveLogWish(incoming, target, session);
      case "pod":
        return await this.#options.servePod(incoming, target, session);
    }
  }

  async #serveTcp(incoming: Incoming, to: Endpoint): Promise<void> {
    this.#mustBeAllowed(to);
    using _conn = placeIn(this.#tcpConns);
    const conn = await this.#dial(incoming, to);
    await pipe(conn, incoming.accept());
  }

  async #dial(incoming: Incoming, to: Endpoint): Promise<Conn> {
    using _dial = placeIn(this.#dials);
    const { clock } = this.#options;
    return await dialTcp(to, { signal: incoming.signal, clock });
  }

  /** A port is nothing to ICMP: what is closed as a whole is closed to it. */
  async #serveEchoes(
    incoming: Incoming,
    ip: Ip,
    session: Session,
  ): Promise<void> {
    this.#mustBeAllowed({ ip, port: 0 });
    using flow = this.#echoes.open(ip, session);
    await pipeDatagrams(flow, incoming.acceptDatagrams());
  }

  async #serveLookup(incoming: Incoming, query: Uint8Array): Promise<void> {
    using _lookup = placeIn(this.#lookups);
    const { dns } = this.#options;
    const answer = await dns.ask(query, { signal: incoming.signal });
    await writeAnswer(incoming.accept(), answer);
  }

  async #serveWorld(
    incoming: Incoming,
    namespaces: readonly string[] | undefined,
  ): Promise<void> {
    const { world, worldOf } = this.#options;
    using part = namespaces && worldOf(namespaces);
    await serveFeed(incoming.accept(), {
      feed: part ?? world,
      leaving: this.#leaving.signal,
      formatLine: worldLine,
    });
  }

  async #serveDirect(incoming: Incoming): Promise<void> {
    const { direct: feed } = this.#options;
    if (feed === undefined) {
      const detail = "The manager has no direct endpoint";
      throw new RefusedError("unknown-target", detail);
    }
    const { signal: leaving } = this.#leaving;
    const options = { feed, leaving, formatLine: directLine };
    await serveFeed(incoming.accept(), options);
  }

  #mustBeAllowed(to: Endpoint): void {
    const why = this.#options.whyForbidden(to);
    if (why === undefined) return;
    const detail = `The manager does not go there: ${why}`;
    throw new RefusedError("forbidden", detail);
  }
}

/** Writes each value of the feed, until the laptop ends the stream or the manager leaves. */
async function serveFeed<T>(
  stream: Conn,
  { feed, formatLine, leaving }: {
    feed: Pick<Feed<T>, "follow">;
    leaving: AbortSignal;
    /** Given the value of the line before, which the laptop has. */
    formatLine: (value: T, before: T | undefined) => Uint8Array;
  },
): Promise<void> {
  const over = new AbortController();
  leaving.addEventListener("abort", () => over.abort(), over);
  const ended = stream.read(new Uint8Array(1)).catch(() => null).finally(
    () => over.abort(),
  );
  try {
    let before: T | undefined;
    for await (const value of feed.follow(over)) {
      await writeAll(stream, formatLine(value, before));
      before = value;
    }
    stream.close();
  } catch {
    stream.reset();
  }
  await ended;
}

function directLine(offer: DirectOffer): Uint8Array {
  return new TextEncoder().encode(`${formatDirectOffer(offer)}\n`);
}

/** True when the stream is of bytes and the target of datagrams, or the other way round. */
function carriesOther(target: Target, incoming: Incoming): boolean {
  return isOfDatagrams(target) !== incoming.datagrams;
}

function isOfDatagrams(target: Target): boolean {
  if (target.kind !== "pod") {
    return target.kind === "udp" || target.kind === "echo";
  }
  return carriesDatagrams(target.wanted);
}

/** Who wished is written down at once. */
async function serveLogWish(
  incoming: Incoming,
  { level, seconds }: LogWish,
  { peer: { thumbprint } }: Session,
): Promise<void> {
  setLogLevelFor(level, seconds * 1000);
  log.info("log level", { wished: level, seconds, thumbprint });
  await writeAnswer(incoming.accept(), new Uint8Array());
}

/**
 * Answers queries of the laptop's apps.
 *
 * 1. A query comes out of a UDP flow or a TCP connection. Of it only the question is read.
 * 2. `decide` says who answers.
 * 3. The cluster: its answer is written for the name that was asked. While it is slow, the asker is told to come over TCP,
 *    where resolvers wait.
 * 4. The host's own nameservers, also for a short name that the cluster does not know: their answer goes back as it came.
 * 5. Without an answer, the query has failed, and is told so.
 */
import type { Clock, Conn, Datagrams, Ip } from "../net/mod.ts";
import { systemClock } from "../net/mod.ts";
import { bareAnswer } from "./answer.ts";
import {
  answerForApp,
  type AppAddresses,
  nameBehind,
} from "./app_addresses.ts";
import { encodeAnswer } from "./answer_message.ts";
import type { AgedAnswer } from "./cache.ts";
import {
  type ClusterQuestion,
  ClusterResolver,
  type Lookup,
} from "./cluster_resolver.ts";
import { HostResolver } from "./host_resolver.ts";
import type { Fqdn } from "./name.ts";
import { decodeQuestion, isQuery, responseCodes } from "./question.ts";
import { decide, type Decision } from "./resolver.ts";
import { serveTcp } from "./tcp_server.ts";
import { UdpFlow } from "./udp_flow.ts";
import type { Zones } from "./zones.ts";

/**
 * How long the asker of a name in the cluster is left without a word over UDP. A resolver that waits for longer than a
 * second asks the host's next nameserver, which knows no such name, and the app would believe that.
 */
const wordMs = 700;

export interface DnsOptions {
  /** What is asked of the cluster. Read at each query. */
  zones: () => Zones;
  /** Asks the cluster's DNS. */
  lookup: Lookup;
  /** By which addresses apps reach the cluster's. By these themselves when absent. */
  addresses?: AppAddresses;
  /** The host's own nameservers in the order of preference. Read at each query. */
  nameservers: () => readonly Ip[];
  /** Where the host's nameservers listen. 53 when absent. */
  nameserverPort?: number;
  clock?: Clock;
  /** How long the cluster may take. 10 s when absent: a lookup outlives a break of the tunnel. */
  lookupTimeoutMs?: number;
  /** The largest datagram that goes to an app whole. 1452 when absent: what fits an IPv6 packet of 1500 octets. */
  maxDatagramBytes?: number;
  /** The most queries that are answered at a time; more fail at once and are counted. 4096 when absent. */
  maxInFlight?: number;
  /** The most answers of the cluster that are kept. 4096 when absent. */
  cacheCapacity?: number;
}

/** Counted since the start, but for `inFlight` and `cacheEntries`. */
export interface DnsStats {
  queries: number;
  inFlight: number;
  /** Answered by the cluster, from memory included. */
  cluster: number;
  /** Answered by the host's nameservers. */
  host: number;
  /** Answered with a failure of ours: nobody else answered. */
  failed: number;
  /** Failed at once, because too many were in flight. */
  overflowed: number;
  /** Neither a query nor worth an answer, or an answer that its app did not take. */
  dropped: number;
  /** Asked of somebody who was being asked the same. */
  joined: number;
  cacheHits: number;
  cacheEntries: number;
}

/** Started by {@link startDns}. */
export interface Dns extends AsyncDisposable {
  /** Answers the queries of a TCP connection until its end. Closes it. Never rejects. */
  serve(conn: Conn): Promise<void>;
  /** One UDP flow of an app: send takes its queries, receive gives the answers. */
  datagrams(): Datagrams;
  stats(): DnsStats;
  /** Gives up all that is in flight, ends flows and connections. Idempotent. */
  stop(): Promise<void>;
}

/** Starts to answer. Nothing is opened before the first query. */
export function startDns(options: DnsOptions): Dns {
  return new RunningDns(options);
}

class RunningDns implements Dns {
  readonly #options: DnsOptions;
  readonly #clock: Clock;
  readonly #cluster: ClusterResolver;
  readonly #host: HostResolver;
  readonly #flows = new Set<Datagrams>();
  readonly #conns = new Set<Conn>();
  readonly #counts = {
    queries: 0,
    inFlight: 0,
    cluster: 0,
    host: 0,
    failed: 0,
    overflowed: 0,
    dropped: 0,
  };
  #stopped = false;

  constructor(options: DnsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#cluster = new ClusterResolver({
      lookup: options.lookup,
      clock: this.#clock,
      timeoutMs: options.lookupTimeoutMs ?? 10_000,
      cacheCapacity: options.cacheCapacity ?? 4096,
    });
    this.#host = new HostResolver({
      nameservers: options.nameservers,
      port: options.nameserverPort ?? 53,
      clock: this.#clock,
    });
  }

  async serve(conn: Conn): Promise<void> {
    if (this.#stopped) return conn.reset();
    this.#conns.add(conn);
    await serveTcp(conn, {
      answerOne: (query) => this.#answer(query, { stream: true }),
      clock: this.#clock,
    });
    this.#conns.delete(conn);
  }

  datagrams(): Datagrams {
    const flow = new UdpFlow(
      (query) => this.#answer(query, { stream: false }),
      {
        drop: () => this.#counts.dropped++,
        close: () => this.#flows.delete(flow),
      },
    );
    if (this.#stopped) flow.close();
    else this.#flows.add(flow);
    return flow;
  }

  stats(): DnsStats {
    const { joined, ...cluster } = this.#cluster.stats();
    return {
      ...this.#counts,
      joined: joined + this.#host.stats().joined,
      cacheHits: cluster.cacheHits,
      cacheEntries: cluster.cacheEntries,
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const flow of this.#flows) flow.close();
    for (const conn of this.#conns) conn.reset();
    this.#cluster.stop();
    await this.#host[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Never rejects. `undefined`: `query` is none. */
  async #answer(
    query: Uint8Array,
    { stream }: { stream: boolean },
  ): Promise<Uint8Array | undefined> {
    if (!isQuery(query) || this.#stopped) {
      this.#counts.dropped++;
      return undefined;
    }
    this.#counts.queries++;
    if (this.#counts.inFlight >= (this.#options.maxInFlight ?? 4096)) {
      this.#counts.overflowed++;
      return encodeAnswer(query, bareAnswer(responseCodes.serverFailure));
    }
    this.#counts.inFlight++;
    try {
      return await this.#ask(query, stream);
    } catch {
      this.#counts.failed++;
      return encodeAnswer(query, bareAnswer(responseCodes.serverFailure));
    } finally {
      this.#counts.inFlight--;
    }
  }

  #ask(query: Uint8Array, stream: boolean): Promise<Uint8Array> {
    const decision = this.#decide(query);
    if (decision.by === "cluster") {
      return this.#askCluster(query, { decision, stream });
    }
    if (decision.by === "host") return this.#askHost(query, stream);
    const none = bareAnswer(responseCodes.noSuchName);
    return Promise.resolve(encodeAnswer(query, none));
  }

  #decide(query: Uint8Array): Decision {
    const question = decodeQuestion(query);
    if (question === undefined) return { by: "host" };
    const { addresses, zones } = this.#options;
    const behind = addresses && nameBehind(question, addresses);
    if (behind === "nothing") return { by: "none" };
    return behind
      ? { by: "cluster", names: [behind], orHost: false }
      : decide(question, zones());
  }

  async #askCluster(
    query: Uint8Array,
    { decision, stream }: {
      decision: Decision & { by: "cluster" };
      stream: boolean;
    },
  ): Promise<Uint8Array> {
    const { name, type, class: kind } = decodeQuestion(query)!;
    const asking = this.#askFirstKnown(decision.names, { type, class: kind });
    // A single label may be of the host's network, which must not wait for the cluster's.
    const mayWait = stream || name.labels.length === 1;
    const found = await (mayWait ? asking : this.#soon(asking));
    if (found === undefined) return comeOverTcp(query);
    const { aged, name: alias } = found;
    const unknown = aged.answer.responseCode === responseCodes.noSuchName;
    if (unknown && decision.orHost) {
      const answer = await this.#askHost(query, stream).catch(() => undefined);
      if (answer !== undefined) return answer;
    }
    this.#counts.cluster++;
    return this.#write(query, { aged, alias, stream });
  }

  /** What the cluster says of the first of `names` that it knows, or of the last. */
  async #askFirstKnown(
    [name, ...others]: readonly [Fqdn, ...Fqdn[]],
    question: Pick<ClusterQuestion, "type" | "class">,
  ): Promise<{ aged: AgedAnswer; name: Fqdn }> {
    const aged = await this.#cluster.ask({ name, ...question });
    const [next, ...rest] = others;
    const unknown = aged.answer.responseCode === responseCodes.noSuchName;
    return next === undefined || !unknown
      ? { aged, name }
      : await this.#askFirstKnown([next, ...rest], question);
  }

  /** What `asking` gives, or `undefined` when it takes longer than {@link wordMs}. */
  async #soon<T>(asking: Promise<T>): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>();
    const callOff = this.#clock.after(wordMs, () => late.resolve(undefined));
    try {
      return await Promise.race([asking, late.promise]);
    } finally {
      callOff();
    }
  }

  #write(
    query: Uint8Array,
    { aged, alias, stream }: {
      aged: AgedAnswer;
      alias: Fqdn;
      stream: boolean;
    },
  ): Uint8Array {
    const { addresses } = this.#options;
    const answer = addresses
      ? answerForApp(aged.answer, addresses)
      : aged.answer;
    return encodeAnswer(query, answer, {
      alias,
      ageSeconds: aged.ageSeconds,
      ...(stream ? {} : { maxDatagramBytes: this.#maxDatagramBytes }),
    });
  }

  async #askHost(query: Uint8Array, stream: boolean): Promise<Uint8Array> {
    const answer = await this.#host.ask(query, { stream });
    this.#counts.host++;
    if (stream || answer.length <= this.#maxDatagramBytes) return answer;
    return comeOverTcp(query);
  }

  get #maxDatagramBytes(): number {
    return this.#options.maxDatagramBytes ?? 1452;
  }
}

/** An answer that is cut to nothing; resolvers ask again over TCP (RFC 7766 section 5). */
function comeOverTcp(query: Uint8Array): Uint8Array {
  const cut = { ...bareAnswer(responseCodes.ok), truncated: true };
  return encodeAnswer(query, cut);
}

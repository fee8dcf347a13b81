/** Answers queries of the laptop's apps: out of UDP flows and TCP connections, a bounded number at a time. */
import {
  type Clock,
  type Conn,
  type Datagrams,
  Ip,
  systemClock,
} from "../net/mod.ts";
import { addressesOf } from "./addresses.ts";
import { bareAnswer } from "./answer.ts";
import { encodeAnswer } from "./answer_message.ts";
import { Answerer } from "./answerer.ts";
import { Clusters } from "./clusters.ts";
import type { DnsCluster } from "./dns_cluster.ts";
import { HostResolver } from "./host_resolver.ts";
import { Fqdn } from "./name.ts";
import { OverflowError } from "./overflow_error.ts";
import { isQuery, responseCodes } from "./question.ts";
import { serveTcp } from "./tcp_server.ts";
import { UdpFlow } from "./udp_flow.ts";

export interface DnsOptions {
  /** Whose names there are, in the order in which they are asked. Read at each query; the same list while it is so. */
  clusters: () => readonly DnsCluster[];
  /** The host's own nameservers in the order of preference. Read at each query. */
  nameservers: () => readonly Ip[];
  /** The domains in which the host looks for single labels. Read at each query. None when absent. */
  search?: () => readonly string[];
  /** Where the host's nameservers listen. 53 when absent. */
  nameserverPort?: number;
  clock?: Clock;
  /** The largest datagram that goes to an app whole. 1452 when absent: what fits an IPv6 packet of 1500 octets. */
  maxDatagramBytes?: number;
  /**
   * The most queries that are answered at a time; more fail at once and are counted. Of a cluster are never more than there
   * is room left for others. 4096 when absent.
   */
  maxInFlight?: number;
  /** The most answers of each cluster that are kept. 4096 when absent. */
  cacheCapacity?: number;
}

/** Counted since the start, but for `inFlight` and `cacheEntries`. */
export interface DnsStats {
  queries: number;
  inFlight: number;
  /** Answered by a cluster, from memory included. */
  cluster: number;
  /** Answered by the host's nameservers. */
  host: number;
  /** Answered with a failure of ours: nobody else answered. */
  failed: number;
  /** Failed at once, because too many were in flight, in all or of a cluster. */
  overflowed: number;
  /** Neither a query nor worth an answer, or an answer that its app did not take. */
  dropped: number;
  /** Asked of somebody who was being asked the same. */
  joined: number;
  cacheHits: number;
  cacheEntries: number;
  /** Asked by a cluster, which waited for us to know what we asked it. */
  loops: number;
}

/** Started by {@link startDns}. */
export interface Dns extends AsyncDisposable {
  /** Answers the queries of a TCP connection until its end. Closes it. Never rejects. */
  serve(conn: Conn): Promise<void>;
  /** One UDP flow of an app: send takes its queries, receive gives the answers. */
  datagrams(): Datagrams;
  /** The addresses of a name or address in text, IPv4 first; none where nobody knows it, or it is no name. */
  addresses(name: string): Promise<Ip[]>;
  stats(): DnsStats;
  /** Gives up all that is in flight, ends flows and connections. Idempotent. */
  stop(): Promise<void>;
}

/** Starts to answer. Nothing is opened before the first query. */
export function startDns(options: DnsOptions): Dns {
  return new RunningDns(options);
}

class RunningDns implements Dns {
  readonly #maxInFlight: number;
  readonly #clock: Clock;
  readonly #clusters: Clusters;
  readonly #host: HostResolver;
  readonly #answerer: Answerer;
  readonly #flows = new Set<Datagrams>();
  readonly #conns = new Set<Conn>();
  readonly #counts = {
    queries: 0,
    inFlight: 0,
    failed: 0,
    overflowed: 0,
    dropped: 0,
  };
  #stopped = false;

  constructor(options: DnsOptions) {
    this.#maxInFlight = options.maxInFlight ?? 4096;
    this.#clock = options.clock ?? systemClock;
    this.#clusters = new Clusters({
      clusters: options.clusters,
      clock: this.#clock,
      cacheCapacity: options.cacheCapacity ?? 4096,
    });
    this.#host = new HostResolver({
      nameservers: options.nameservers,
      port: options.nameserverPort ?? 53,
      clock: this.#clock,
    });
    this.#answerer = new Answerer({
      clusters: () => this.#clusters.current,
      room: () => this.#maxInFlight - this.#counts.inFlight,
      host: this.#host,
      search: options.search ?? (() => []),
      clock: this.#clock,
      maxDatagramBytes: options.maxDatagramBytes ?? 1452,
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

  async addresses(name: string): Promise<Ip[]> {
    const literal = Ip.tryParse(name);
    if (literal) return [literal];
    const fqdn = Fqdn.tryParse(name);
    return fqdn === undefined ? [] : await addressesOf(
      fqdn,
      (query) => this.#answer(query, { stream: true }),
    );
  }

  stats(): DnsStats {
    const { joined, ...clusters } = this.#clusters.stats();
    return {
      ...this.#counts,
      ...this.#answerer.stats(),
      joined: joined + this.#host.stats().joined,
      ...clusters,
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const flow of this.#flows) flow.close();
    for (const conn of this.#conns) conn.reset();
    this.#clusters.stop();
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
    if (this.#counts.inFlight >= this.#maxInFlight) {
      this.#counts.overflowed++;
      return encodeAnswer(query, bareAnswer(responseCodes.serverFailure));
    }
    this.#counts.inFlight++;
    try {
      return await this.#answerer.answer(query, stream);
    } catch (error) {
      this.#counts[error instanceof OverflowError ? "overflowed" : "failed"]++;
      return encodeAnswer(query, bareAnswer(responseCodes.serverFailure));
    } finally {
      this.#counts.inFlight--;
    }
  }
}

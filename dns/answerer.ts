/**
 * Answers one query.
 *
 * 1. Of it only the question is read; `chooseClusters` says who answers.
 * 2. The first cluster that knows it, asked in turn: its answer is written for the name that was asked. While it is slow,
 *    the asker is told to come over TCP, where resolvers wait. Where its answer leads out of it, the host says where to.
 * 3. The host's own nameservers, also for a short name that no cluster knows, and for what a cluster itself asks: their
 *    answer goes back as it came. While they are silent, what its search list makes of a cluster's name is none.
 * 4. Ourselves: the user gave the name another one, which is asked for in its place, or an address.
 */
import { type Clock, Ip } from "../net/mod.ts";
import { type Answer, bareAnswer, decodeAnswer } from "./answer.ts";
import { encodeAnswer } from "./answer_message.ts";
import { answerForApp } from "./app_addresses.ts";
import { chooseClusters, leadsElsewhere } from "./choose_cluster.ts";
import type { AgedAnswer, ClusterQuestion } from "./cluster_resolver.ts";
import type { Readings, ServedCluster } from "./clusters.ts";
import { Deadlines } from "./deadlines.ts";
import { addressesIn, aliasRecord, chainFrom } from "./cname_chain.ts";
import {
  findFirst,
  type Found,
  type FoundAlias,
  isUnknown,
  soon,
  wordMs,
} from "./find_first.ts";
import { findInTurn, type Word } from "./find_in_turn.ts";
import type { HostResolver } from "./host_resolver.ts";
import { Fqdn } from "./name.ts";
import { encodeQuery } from "./query_message.ts";
import {
  decodeQuestion,
  messageId,
  type Question,
  recordTypes,
  responseCodes,
} from "./question.ts";
import { decide } from "./resolver.ts";
import { suffixed, suffixedName } from "./suffixed.ts";

/** How long the host's nameservers are waited for at least, also when they have been silent for a while. */
const shortestMs = 200;

/** How long what the user says of a name may be kept, which is asked of nobody. */
const aliasTtl = 5;

export interface AnswererOptions {
  /** In the order in which they are asked. Read at each query. */
  clusters: () => readonly ServedCluster[];
  /** How many more may be answered at a time. Read at each query. */
  room: () => number;
  host: HostResolver;
  /** The domains in which the host looks for single labels. Read at each query. */
  search: () => readonly string[];
  clock: Clock;
  /** The largest datagram that goes to an app whole. */
  maxDatagramBytes: number;
}

/** What is known of a query: the question in it, that it came over a stream, that the host is asked if no cluster knows. */
interface Asked {
  readonly query: Uint8Array;
  readonly question: Question;
  readonly stream: boolean;
  readonly clusters: readonly ServedCluster[];
  readonly orHost: boolean;
}

export class Answerer {
  readonly #options: AnswererOptions;
  /** Of who asks a cluster. */
  readonly #word: Word;
  #byCluster = 0;
  #byHost = 0;

  constructor(options: AnswererOptions) {
    this.#options = options;
    const words = new Deadlines({ clock: options.clock, ms: wordMs });
    this.#word = (late, agoMs) => words.begin(late, agoMs);
  }

  /** How many clusters have answered, and the host. */
  stats() {
    return { cluster: this.#byCluster, host: this.#byHost };
  }

  /** @throws {Error} when nobody answers. */
  answer(query: Uint8Array, stream: boolean): Promise<Uint8Array> {
    const clusters = this.#options.clusters();
    const question = decodeQuestion(query);
    if (question === undefined) return this.#askHost(query, stream);
    if (clusters.some(({ resolver }) => resolver.isOwn(question))) {
      return Promise.resolve(encodeAnswer(query, noSuchName));
    }
    const { readings, orHost } = chooseClusters(question, clusters);
    const asked = { query, question, stream, clusters, orHost };
    if (isSome(readings)) return this.#askClusters(asked, readings);
    if (!orHost) return Promise.resolve(encodeAnswer(query, noSuchName));
    const label = this.#searchedLabel(question.name);
    return label === undefined
      ? this.#askHost(query, stream)
      : this.#askHostOf(label, asked);
  }

  /** The single label that the host's search list makes `name` of. */
  #searchedLabel(name: Fqdn): Fqdn | undefined {
    const { labels, first } = name;
    const isSearched = this.#options.search().some((one) => {
      const domain = Fqdn.tryParse(one);
      return domain !== undefined && name.isIn(domain) &&
        labels.length === domain.labels.length + 1;
    });
    return isSearched ? first : undefined;
  }

  /**
   * What the host says of a name that its search list makes of `label`. Where it has been silent for a while, and a cluster
   * knows the label, there is no such name: the search goes on to the label itself, which it would never come to.
   */
  async #askHostOf(label: Fqdn, asked: Asked): Promise<Uint8Array> {
    const { query, question, stream, clusters } = asked;
    const { host, clock } = this.#options;
    const asking = this.#askHost(query, stream);
    const ms = Math.max(shortestMs, wordMs - host.silentMs);
    const answer = await soon(asking, (late) => clock.after(ms, late));
    if (answer !== "late") return answer;
    asking.catch(() => {}); // told to who awaits it below
    const { type, class: kind } = question;
    const { readings } = chooseClusters(
      { name: label, type, class: kind },
      clusters,
    );
    const found = host.silentMs >= ms && isSome(readings)
      ? await findFirst(readings, { type, class: kind, clock })
        .catch(() => undefined)
      : undefined;
    const isKnown = found !== undefined &&
      (found.by === "alias" || !isUnknown(found.aged.answer));
    return isKnown ? encodeAnswer(query, noSuchName) : await asking;
  }

  #askClusters(asked: Asked, readings: Readings): Promise<Uint8Array> {
    const { question, stream } = asked;
    const { clock, room } = this.#options;
    return findInTurn(readings, {
      question,
      clock,
      room: room(),
      word: mayWait(question, stream) ? undefined : this.#word,
    }).then((found) => this.#answerFound(asked, found));
  }

  async #answerFound(
    asked: Asked,
    found: Awaited<ReturnType<typeof findInTurn>>,
  ): Promise<Uint8Array> {
    const { query, stream, orHost } = asked;
    if (found === "late") return comeOverTcp(query);
    if (found === undefined) return await this.#askHost(query, stream);
    if (found.by === "alias") return await this.#askAlias(asked, found);
    if (orHost && isUnknown(found.aged.answer)) {
      const answer = await this.#askHost(query, stream).catch(() => undefined);
      if (answer !== undefined) return answer;
    }
    return await this.#tell(asked, found);
  }

  /** What a cluster says, for the app. */
  async #tell(asked: Asked, found: Found): Promise<Uint8Array> {
    const { query, question, stream, clusters } = asked;
    const { cluster, name, suffix } = found.reading;
    const zones = cluster.zones();
    const isProxied = zones.proxied?.has(name.key);
    if (isProxied) {
      await cluster.onProxied?.(name, addressesIn(found.aged.answer));
    }
    const led = isProxied ? undefined : await this.#leadOut(asked, found);
    const { answer, ageSeconds } = led ?? {
      ...found.aged,
      answer: forApp(found.aged.answer, cluster),
    };
    this.#byCluster++;
    const domain = Fqdn.parse(zones.clusterDomain);
    const naming = cluster.name && {
      suffix: cluster.name,
      isMeant: (name: Fqdn) =>
        name.isIn(domain) &&
        (suffix !== undefined || leadsElsewhere(name, { cluster, clusters })),
    };
    return encodeAnswer(query, naming ? suffixed(answer, naming) : answer, {
      question,
      alias: naming ? suffixedName(found.name, naming) : found.name,
      ageSeconds,
      ...this.#room(stream),
    });
  }

  /**
   * Where a chain of aliases in the cluster's answer leads to a name that is the host's, and to no address inside the
   * cluster, the chain with what the host's nameservers say of that name. `undefined`: the cluster's answer stands.
   */
  async #leadOut(
    { question, stream }: Asked,
    { reading, aged, name }: Found,
  ): Promise<AgedAnswer | undefined> {
    const { type, class: kind } = question;
    const steps = chainFrom(name, aged.answer);
    if (type === recordTypes.cname || steps.length === 0) return undefined;
    const zones = reading.cluster.zones();
    const isInside = addressesIn(aged.answer).some((ip) =>
      zones.subnets?.some((subnet) => subnet.contains(ip))
    );
    if (isInside) return undefined;
    const out = steps.findIndex(({ target }) =>
      decide({ name: target, type, class: kind }, zones).by === "host"
    );
    const target = steps[out]?.target;
    if (target === undefined) return undefined;
    const told = await this.#tellOf({ name: target, type, class: kind }, {
      ask: (query) => this.#askHost(query, stream),
    }).catch(() => undefined);
    if (told === undefined || told.answers.length === 0) return undefined;
    const chain = steps.slice(0, out + 1).map(({ record }) => ({
      ...record,
      ttl: Math.max(0, record.ttl - aged.ageSeconds),
    }));
    return {
      answer: { ...told, answers: [...chain, ...told.answers] },
      ageSeconds: 0,
    };
  }

  /** What the name `of` has, behind the word that the name asked for stands for it. */
  async #askAlias(
    { query, question, stream }: Asked,
    { of, cluster }: FoundAlias,
  ): Promise<Uint8Array> {
    const { name, type, class: kind } = question;
    const alias = aliasRecord(name, { of, type, ttl: aliasTtl });
    const answers = alias === undefined ? [] : [alias];
    if (of instanceof Ip || type === recordTypes.cname) {
      const answer = { ...bareAnswer(responseCodes.ok), answers };
      return encodeAnswer(query, forApp(answer, cluster), this.#room(stream));
    }
    const told = await this.#tellOf({ name: of, type, class: kind }, {
      ask: (query) => this.answer(query, stream),
    });
    if (told === undefined) {
      throw new Error(`Cannot look up "${of}": a broken answer`);
    }
    const answer = {
      ...{ ...told, authoritative: false },
      answers: [...answers, ...told.answers],
    };
    return encodeAnswer(query, answer, this.#room(stream));
  }

  /** Asks a question of our own; `undefined` when the answer is none. */
  async #tellOf(
    question: ClusterQuestion,
    { ask }: { ask: (query: Uint8Array) => Promise<Uint8Array> },
  ): Promise<Answer | undefined> {
    const [id] = crypto.getRandomValues(new Uint16Array(1));
    const message = await ask(encodeQuery(question, { id: id! }));
    return messageId(message) === id
      ? decodeAnswer(message, question)
      : undefined;
  }

  async #askHost(query: Uint8Array, stream: boolean): Promise<Uint8Array> {
    const answer = await this.#options.host.ask(query, { stream });
    this.#byHost++;
    const fits = stream || answer.length <= this.#options.maxDatagramBytes;
    return fits ? answer : comeOverTcp(query);
  }

  #room(stream: boolean): { maxDatagramBytes?: number } {
    const { maxDatagramBytes } = this.#options;
    return stream ? {} : { maxDatagramBytes };
  }
}

const noSuchName = bareAnswer(responseCodes.noSuchName);

function isSome<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}

/** A single label may be of the host's network, which must not wait for the cluster's. */
function mayWait({ name }: Question, stream: boolean): boolean {
  return stream || name.labels.length === 1;
}

function forApp(answer: Answer, { addresses }: ServedCluster): Answer {
  return addresses ? answerForApp(answer, addresses) : answer;
}

/** An answer that is cut to nothing; resolvers ask again over TCP (RFC 7766 section 5). */
function comeOverTcp(query: Uint8Array): Uint8Array {
  const cut = { ...bareAnswer(responseCodes.ok), truncated: true };
  return encodeAnswer(query, cut);
}

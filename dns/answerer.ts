/**
 * Answers one query.
 *
 * 1. Of it only the question is read; `decide` says who answers.
 * 2. The cluster: its answer is written for the name that was asked. While it is slow, the asker is told to come over
 *    TCP, where resolvers wait. Where its answer leads out of it, the host says where to.
 * 3. The host's own nameservers, also for a short name that the cluster does not know, and for what the cluster itself
 *    asks: their answer goes back as it came.
 * 4. Ourselves: the user gave the name another one, which is asked for in its place, or an address.
 */
import { type Clock, Ip } from "../net/mod.ts";
import { type Answer, bareAnswer, decodeAnswer } from "./answer.ts";
import { encodeAnswer } from "./answer_message.ts";
import type { AgedAnswer } from "./cache.ts";
import type { ClusterQuestion, ClusterResolver } from "./cluster_resolver.ts";
import {
  answerForApp,
  type AppAddresses,
  nameBehind,
} from "./app_addresses.ts";
import { addressesIn, aliasRecord, chainFrom } from "./cname_chain.ts";
import type { HostResolver } from "./host_resolver.ts";
import type { Fqdn } from "./name.ts";
import { encodeQuery } from "./query_message.ts";
import {
  decodeQuestion,
  messageId,
  type Question,
  recordTypes,
  responseCodes,
} from "./question.ts";
import { decide, type Decision } from "./resolver.ts";
import type { Zones } from "./zones.ts";

/**
 * How long the asker of a name in the cluster is left without a word over UDP. A resolver that waits for longer than a
 * second asks the host's next nameserver, which knows no such name, and the app would believe that.
 */
const wordMs = 700;

/** How long what the user says of a name may be kept, which is asked of nobody. */
const aliasTtl = 5;

export interface AnswererOptions {
  /** Read at each query. */
  zones: () => Zones;
  /** By which addresses apps reach the cluster's; absent: by these themselves. */
  addresses: AppAddresses | undefined;
  /** Awaited before an app is told the cluster's addresses of one of {@link Zones.proxied}. */
  onProxied: (name: Fqdn, ips: readonly Ip[]) => Promise<void>;
  cluster: ClusterResolver;
  host: HostResolver;
  clock: Clock;
  /** The largest datagram that goes to an app whole. */
  maxDatagramBytes: number;
}

/** What is known of a query: it came over a stream, and the question in it. */
interface Asked {
  readonly query: Uint8Array;
  readonly question: Question;
  readonly stream: boolean;
}

export class Answerer {
  readonly #options: AnswererOptions;
  #byCluster = 0;
  #byHost = 0;

  constructor(options: AnswererOptions) {
    this.#options = options;
  }

  /** How many the cluster has answered, and the host. */
  stats() {
    return { cluster: this.#byCluster, host: this.#byHost };
  }

  /** @throws {Error} when nobody answers. */
  async answer(query: Uint8Array, stream: boolean): Promise<Uint8Array> {
    const { cluster } = this.#options;
    const question = decodeQuestion(query);
    if (question === undefined) return await this.#askHost(query, stream);
    if (cluster.isOwn(question)) return encodeAnswer(query, noSuchName);
    const decision = this.#decide(question);
    const asked = { query, question, stream };
    switch (decision.by) {
      case "cluster":
        return await this.#askCluster(asked, decision);
      case "host":
        return await this.#askHost(query, stream);
      case "alias":
        return await this.#askAlias(asked, decision.of);
      case "none":
        return encodeAnswer(query, noSuchName);
    }
  }

  #decide(question: Question): Decision {
    const { addresses, zones } = this.#options;
    const behind = addresses && nameBehind(question, addresses);
    if (behind === "nothing") return { by: "none" };
    if (behind === "host") return { by: "host" };
    return behind
      ? { by: "cluster", names: [behind], orHost: false }
      : decide(question, zones());
  }

  async #askCluster(
    asked: Asked,
    { names, orHost }: Decision & { by: "cluster" },
  ): Promise<Uint8Array> {
    const { query, question, stream } = asked;
    const asking = this.#askFirstKnown(names, question);
    // A single label may be of the host's network, which must not wait for the cluster's.
    const mayWait = stream || question.name.labels.length === 1;
    const found = await (mayWait ? asking : this.#soon(asking));
    if (found === "late") return comeOverTcp(query);
    if (found === undefined) return await this.#askHost(query, stream);
    if (orHost && isUnknown(found.aged.answer)) {
      const answer = await this.#askHost(query, stream).catch(() => undefined);
      if (answer !== undefined) return answer;
    }
    const isProxied = this.#options.zones().proxied?.has(question.name.key);
    if (isProxied) {
      const ips = addressesIn(found.aged.answer);
      await this.#options.onProxied(question.name, ips);
    }
    const led = isProxied ? undefined : await this.#leadOut(asked, found);
    const { answer, ageSeconds } = led ?? {
      ...found.aged,
      answer: this.#forApp(found.aged.answer),
    };
    this.#byCluster++;
    return encodeAnswer(query, answer, {
      alias: found.name,
      ageSeconds,
      ...this.#room(stream),
    });
  }

  #forApp(answer: Answer): Answer {
    const { addresses } = this.#options;
    return addresses ? answerForApp(answer, addresses) : answer;
  }

  /**
   * What the cluster says of the first of `names` that it knows, or of the last; `undefined` when it is the cluster that
   * asks.
   */
  async #askFirstKnown(
    [name, ...others]: readonly [Fqdn, ...Fqdn[]],
    { type, class: kind }: ClusterQuestion,
  ): Promise<{ aged: AgedAnswer; name: Fqdn } | undefined> {
    const question = { name, type, class: kind };
    const aged = await this.#options.cluster.ask(question);
    const [next, ...rest] = others;
    return aged === undefined
      ? undefined
      : next === undefined || !isUnknown(aged.answer)
      ? { aged, name }
      : await this.#askFirstKnown([next, ...rest], question);
  }

  /** What `asking` gives, or "late" when it takes longer than {@link wordMs}. */
  async #soon<T>(asking: Promise<T>): Promise<T | "late"> {
    const late = Promise.withResolvers<"late">();
    const { clock } = this.#options;
    const callOff = clock.after(wordMs, () => late.resolve("late"));
    try {
      return await Promise.race([asking, late.promise]);
    } finally {
      callOff();
    }
  }

  /**
   * Where a chain of aliases in the cluster's answer leads to a name that is the host's, and to no address inside the
   * cluster, the chain with what the host's nameservers say of that name. `undefined`: the cluster's answer stands.
   */
  async #leadOut(
    { question, stream }: Asked,
    { aged, name }: { aged: AgedAnswer; name: Fqdn },
  ): Promise<AgedAnswer | undefined> {
    const { type, class: kind } = question;
    const steps = chainFrom(name, aged.answer);
    if (type === recordTypes.cname || steps.length === 0) return undefined;
    const zones = this.#options.zones();
    const isInside = addressesIn(aged.answer).some((ip) =>
      zones.subnets?.some((subnet) => subnet.contains(ip))
    );
    if (isInside) return undefined;
    const out = steps.findIndex(({ target }) =>
      decide({ name: target, type, class: kind, end: 0 }, zones).by === "host"
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
    of: Fqdn | Ip,
  ): Promise<Uint8Array> {
    const { name, type, class: kind } = question;
    const alias = aliasRecord(name, { of, type, ttl: aliasTtl });
    const answers = alias === undefined ? [] : [alias];
    if (of instanceof Ip || type === recordTypes.cname) {
      const answer = { ...bareAnswer(responseCodes.ok), answers };
      return encodeAnswer(query, this.#forApp(answer), this.#room(stream));
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

/** A name that is an alias is known, whatever is said of what it stands for. */
function isUnknown({ responseCode, answers }: Answer): boolean {
  return responseCode === responseCodes.noSuchName && answers.length === 0;
}

/** An answer that is cut to nothing; resolvers ask again over TCP (RFC 7766 section 5). */
function comeOverTcp(query: Uint8Array): Uint8Array {
  const cut = { ...bareAnswer(responseCodes.ok), truncated: true };
  return encodeAnswer(query, cut);
}

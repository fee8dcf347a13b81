/**
 * Answers from the cluster's DNS.
 *
 * 1. An answer that is still good is given again.
 * 2. A question that is being asked is not asked twice. It may be the cluster that asks us the same ({@link LoopGuard}).
 * 3. Else it is asked, and given up after {@link ClusterResolverOptions.timeoutMs}, of which what it has waited is a part.
 */
import type { Clock } from "../net/mod.ts";
import { type Answer, decodeAnswer, lifetimeSeconds } from "./answer.ts";
import { AnswerCache } from "./cache.ts";
import { Deadlines } from "./deadlines.ts";
import { LoopGuard } from "./loop_guard.ts";
import { encodeQuery } from "./query_message.ts";
import type { Pace } from "./pace.ts";
import { messageId, type Question } from "./question.ts";

/** Asks the cluster's DNS one raw DNS message, gives its raw answer. Rejects when there is none. */
export type Lookup = (
  query: Uint8Array,
  options: { signal: AbortSignal },
) => Promise<Uint8Array>;

export interface ClusterResolverOptions {
  lookup: Lookup;
  clock: Clock;
  timeoutMs: number;
  /** Of the lookups. */
  pace: Pace;
  /** The most answers that are kept. */
  cacheCapacity: number;
}

/** What is asked of the cluster, by its full name. */
export type ClusterQuestion = Pick<Question, "name" | "type" | "class">;

/** An answer and how long it has been kept. */
export interface AgedAnswer {
  readonly answer: Answer;
  readonly ageSeconds: number;
}

/** An answer and the message that it came in. */
interface Told {
  readonly answer: Answer;
  readonly message: Uint8Array;
}

interface ExchangeOptions {
  waitedMs?: number;
  calledOff?: AbortSignal;
}

export class ClusterResolver {
  readonly #options: ClusterResolverOptions;
  readonly #cache: AnswerCache;
  readonly #asking = new Map<string, Promise<Told>>();
  readonly #guard: LoopGuard;
  readonly #deadlines: Deadlines;
  /** Gives up what is being asked. */
  readonly #givingUp = new Set<(why: unknown) => void>();
  #stopped: Error | undefined;
  #cacheHits = 0;
  #joined = 0;
  #lookups = 0;

  constructor(options: ClusterResolverOptions) {
    this.#options = options;
    const { clock, timeoutMs, cacheCapacity: capacity } = options;
    this.#deadlines = new Deadlines({ clock, ms: timeoutMs });
    this.#cache = new AnswerCache({ clock, capacity });
    this.#guard = new LoopGuard({
      clock,
      ask: (question, { signal: calledOff }) =>
        this.#lookup(question, { calledOff }),
    });
  }

  /** To be told of each question that arrives. True when nobody asks it but ourselves, by way of the cluster. */
  isOwn(question: ClusterQuestion): boolean {
    return this.#guard.isProbe(question);
  }

  /** Whether {@link ask} would answer at once. */
  isKept(question: ClusterQuestion): boolean {
    return this.#cache.has(keyOf(question));
  }

  /** Whether {@link ask} would wait for a lookup that is under way. */
  isAsking(question: ClusterQuestion): boolean {
    return this.#asking.has(keyOf(question));
  }

  /**
   * @param waitedMs How long the question has waited to be asked.
   * @returns `undefined` when it is the cluster that asks, since it does not know itself.
   * @throws {Error} when no answer came in time, or none to the question.
   */
  async ask(
    question: ClusterQuestion,
    waitedMs = 0,
  ): Promise<AgedAnswer | undefined> {
    const key = keyOf(question);
    const kept = this.#cache.get(key);
    if (kept !== undefined) {
      this.#cacheHits++;
      const { message, ageSeconds } = kept;
      return { answer: decodeAnswer(message, question)!, ageSeconds };
    }
    const underWay = this.#asking.get(key);
    if (underWay !== undefined) {
      this.#joined++;
      const told = await this.#guard.wait(underWay, question);
      return told && { answer: told.answer, ageSeconds: 0 };
    }
    const asking = this.#lookup(question, { waitedMs });
    this.#asking.set(key, asking);
    try {
      const { answer, message } = await asking;
      this.#cache.put(key, message, { seconds: lifetimeSeconds(answer) });
      return { answer, ageSeconds: 0 };
    } finally {
      this.#asking.delete(key);
    }
  }

  /** Gives up what is being asked. */
  stop(why: Error): void {
    this.#stopped = why;
    for (const giveUp of this.#givingUp) giveUp(why);
  }

  stats() {
    return {
      cacheHits: this.#cacheHits,
      cacheEntries: this.#cache.size,
      joined: this.#joined,
      lookups: this.#lookups,
      loops: this.#guard.loops,
    };
  }

  async #lookup(
    question: ClusterQuestion,
    options: ExchangeOptions,
  ): Promise<Told> {
    this.#lookups++;
    const [id] = crypto.getRandomValues(new Uint16Array(1));
    const query = encodeQuery(question, { id: id! });
    const message = await this.#exchange(query, options);
    const answer = messageId(message) === id
      ? decodeAnswer(message, question)
      : undefined;
    if (answer === undefined) {
      throw new Error(`Cannot look up "${question.name}": a broken answer`);
    }
    return { answer, message };
  }

  /** Rejects after the time, at the stop or when called off, whether or not the lookup heeds its signal. */
  async #exchange(
    query: Uint8Array,
    { waitedMs, calledOff }: ExchangeOptions,
  ): Promise<Uint8Array> {
    if (this.#stopped !== undefined) throw this.#stopped;
    calledOff?.throwIfAborted();
    const { lookup, pace, timeoutMs } = this.#options;
    const abort = new AbortController();
    const answered = Promise.withResolvers<Uint8Array>();
    const giveUp = (why: unknown) => {
      abort.abort(why);
      answered.reject(why);
    };
    const onCalledOff = () => giveUp(calledOff!.reason);
    const leave = pace.lookup();
    this.#givingUp.add(giveUp);
    calledOff?.addEventListener("abort", onCalledOff, { once: true });
    const callOff = this.#deadlines.begin(
      () => giveUp(new Error(`Cannot look up: no answer in ${timeoutMs} ms`)),
      waitedMs,
    );
    try {
      lookup(query, { signal: abort.signal })
        .then(answered.resolve, answered.reject);
      return await answered.promise;
    } finally {
      leave();
      callOff();
      this.#givingUp.delete(giveUp);
      calledOff?.removeEventListener("abort", onCalledOff);
    }
  }
}

/** The same for what is the same question. */
export function keyOf({ type, class: kind, name }: ClusterQuestion): string {
  return `${type} ${kind} ${name.key}`;
}

/**
 * Answers from the host's own nameservers, octet by octet as they come.
 *
 * 1. A query that is being asked, the same but for its id, is not asked twice.
 * 2. The first nameserver is asked; after a while without answer, or when it fails, the next one too, and in the end
 *    the first again, since a datagram may be lost.
 * 3. The first good answer counts; without one, the first bad one.
 */
import { type Clock, type Ip, isDnsFailure } from "../net/mod.ts";
import { messageId, setMessageId } from "./question.ts";
import { askOverTcp } from "./tcp_exchange.ts";
import { UdpExchange } from "./udp_exchange.ts";

/** How long an answer is waited for before the next nameserver is asked too. */
const turnMs = 1500;
/** The same while there is one that was not asked yet: all have been within the second that resolvers wait for us. */
const firstTurnMs = 300;
/** How long all of it may take: less than the 5 s that resolvers commonly wait. */
const patienceMs = 3 * turnMs;
/** Who was silent is not held to be so after a while without questions. */
const forgetMs = 2 * patienceMs;

export interface HostResolverOptions {
  /** In the order of preference. Read at each query. */
  nameservers: () => readonly Ip[];
  port: number;
  clock: Clock;
}

export class HostResolver implements AsyncDisposable {
  readonly #options: HostResolverOptions;
  readonly #udp = new UdpExchange();
  readonly #asking = new Map<string, Promise<Uint8Array>>();
  readonly #stopped = new AbortController();
  #joined = 0;
  #failed = 0;
  /** When the first question was asked that no nameserver has said anything to or since. */
  #silentSinceMs: number | undefined;
  #askedMs = 0;

  constructor(options: HostResolverOptions) {
    this.#options = options;
  }

  /**
   * Gives the nameservers' answer to a raw query, which is at least a header long.
   *
   * @param options.stream Ask over TCP, as the asker did.
   * @throws {Error} when there is no nameserver, or none answered.
   */
  async ask(
    query: Uint8Array,
    { stream }: { stream: boolean },
  ): Promise<Uint8Array> {
    const key = `${stream} ${keyOf(query)}`;
    let asking = this.#asking.get(key);
    if (asking !== undefined) this.#joined++;
    else {
      asking = this.#ask(query, stream).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    const answer = await asking;
    const own = answer.slice();
    setMessageId(own, messageId(query));
    return own;
  }

  /** For how long the nameservers have been asked and not heard. */
  get silentMs(): number {
    const { clock } = this.#options;
    return this.#silentSinceMs === undefined
      ? 0
      : clock.now() - this.#silentSinceMs;
  }

  stats() {
    return { joined: this.#joined, failed: this.#failed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error("Cannot ask the nameservers: stopped"));
    await this.#udp[Symbol.asyncDispose]();
  }

  async #ask(query: Uint8Array, stream: boolean): Promise<Uint8Array> {
    const done = new AbortController();
    try {
      const signal = AbortSignal.any([done.signal, this.#stopped.signal]);
      return await this.#askInTurn((to) => {
        const { port } = this.#options;
        return stream
          ? askOverTcp(query, { to, port, signal })
          : this.#udp.ask(query, { to, port, signal });
      }, { again: !stream });
    } catch (error) {
      this.#failed++;
      throw error;
    } finally {
      done.abort(new Error("Cannot ask the nameserver: answered already"));
    }
  }

  async #askInTurn(
    askOne: (to: Ip) => Promise<Uint8Array>,
    { again }: { again: boolean },
  ): Promise<Uint8Array> {
    this.#stopped.signal.throwIfAborted();
    const { clock, nameservers } = this.#options;
    const turns = new Turns(nameservers());
    const good = Promise.withResolvers<Uint8Array>();
    let bad: Uint8Array | undefined;
    const endMs = clock.now() + patienceMs;
    while (clock.now() < endMs && !this.#stopped.signal.aborted) {
      const turn = turns.next();
      if (turn === undefined) break;
      const failed = Promise.withResolvers<void>();
      if (turn.first || again) {
        this.#noteAsked();
        askOne(turn.nameserver).then((answer) => {
          this.#silentSinceMs = undefined;
          if (!isDnsFailure(answer)) return good.resolve(answer);
          bad ??= answer;
          throw new Error("Cannot use the answer: the nameserver failed");
        }).catch(() => {
          turns.drop(turn.nameserver);
          failed.resolve();
        });
      }
      const answer = await this.#first(good.promise, {
        failed: failed.promise,
        withinMs: turns.hasFresh ? firstTurnMs : turnMs,
      });
      if (answer !== undefined) return answer;
    }
    if (bad !== undefined) return bad;
    throw new Error("Cannot ask the host's nameservers: none answered");
  }

  #noteAsked(): void {
    const now = this.#options.clock.now();
    if (now - this.#askedMs > forgetMs) this.#silentSinceMs = undefined;
    this.#askedMs = now;
    this.#silentSinceMs ??= now;
  }

  /** The good answer, or `undefined` once the time of a turn is over, it failed, or all is stopped. */
  async #first(
    good: Promise<Uint8Array>,
    { failed, withinMs }: { failed: Promise<void>; withinMs: number },
  ): Promise<Uint8Array | undefined> {
    const over = Promise.withResolvers<undefined>();
    const callOff = this.#options.clock.after(
      withinMs,
      () => over.resolve(undefined),
    );
    try {
      return await Promise.race([
        good,
        failed.then(() => undefined),
        over.promise,
      ]);
    } finally {
      callOff();
    }
  }
}

/** Whose turn it is: who was asked least, in the order of preference. */
class Turns {
  readonly #asked: Map<Ip, number>;

  constructor(nameservers: readonly Ip[]) {
    this.#asked = new Map(nameservers.map((nameserver) => [nameserver, 0]));
  }

  next(): { nameserver: Ip; first: boolean } | undefined {
    let next: [Ip, number] | undefined;
    for (const entry of this.#asked) {
      if (next === undefined || entry[1] < next[1]) next = entry;
    }
    if (next === undefined) return undefined;
    const [nameserver, times] = next;
    this.#asked.set(nameserver, times + 1);
    return { nameserver, first: times === 0 };
  }

  /** Whether there is one that was not asked yet. */
  get hasFresh(): boolean {
    return [...this.#asked.values()].includes(0);
  }

  /** Takes out one that said that it can not help. */
  drop(nameserver: Ip): void {
    this.#asked.delete(nameserver);
  }
}

/** All octets of a query but its id. */
function keyOf(query: Uint8Array): string {
  return String.fromCharCode(...query.subarray(2));
}

/**
 * Asks the cluster's DNS raw messages, as the resolver of a pod does.
 *
 * 1. The first nameserver is asked. When it refuses, fails or is silent for its turn, the next one is asked, too.
 * 2. Who was asked is listened to until the end: what one knows slowly another may not know at all.
 * 3. The first answer with records counts. One that says there are none waits for those before it: behind the cluster's
 *    own there may be one that knows nothing of it. Without a good one the first bad one counts, once all have failed, or
 *    those that have not were silent for their turns.
 * 4. How long it may take is the asker's to say, by its signal.
 */
import {
  type Clock,
  dnsHeaderOctets,
  hasDnsRecords,
  type Ip,
  isDnsFailure,
  RefusedError,
} from "../net/mod.ts";
import { refusalOfError } from "../tcp/mod.ts";
import { Nameserver, type NameserverQuestion } from "./nameserver.ts";

/** For an asker that does not call off: no laptop waits for longer. */
const timeoutMs = 60_000;

export interface ClusterDnsOptions {
  /** In the order in which they are asked. */
  nameservers: readonly [Ip, ...Ip[]];
  port?: number;
  clock: Clock;
}

export class ClusterDns {
  readonly #nameservers: readonly Nameserver[];
  readonly #clock: Clock;

  constructor({ nameservers, port = 53, clock }: ClusterDnsOptions) {
    this.#nameservers = nameservers.map((ip) =>
      new Nameserver({ ip, port }, { clock })
    );
    this.#clock = clock;
  }

  /** @throws {RefusedError} when there is no answer. */
  async ask(
    query: Uint8Array,
    { signal }: { signal: AbortSignal },
  ): Promise<Uint8Array> {
    if (query.length < dnsHeaderOctets) {
      throw new RefusedError("failed", "Cannot look up: not a DNS message");
    }
    const over = new AbortController();
    const callOff = this.#clock.after(timeoutMs, () => {
      const names = this.#nameservers.join(", ");
      const detail = `Cannot look up: silence of ${names}`;
      over.abort(new RefusedError("timeout", detail));
    });
    const any = AbortSignal.any([signal, over.signal]);
    const inquiry = new Inquiry(this.#nameservers, { query, signal: any });
    try {
      return await inquiry.answer;
    } catch (error) {
      throw refusalOfError(any.aborted ? any.reason : error);
    } finally {
      callOff();
      over.abort();
      await inquiry.ended();
    }
  }
}

/** What became of a question at one nameserver. */
interface Asked {
  /** It has failed, or was silent for all of its time: those behind it need not wait for it. */
  isSpent: boolean;
  /** That there is nothing. */
  negative?: Uint8Array;
}

/** One question, and what becomes of it at each nameserver. */
class Inquiry {
  readonly #nameservers: readonly Nameserver[];
  readonly #query: Uint8Array;
  readonly #signal: AbortSignal;
  readonly #answered = Promise.withResolvers<Uint8Array>();
  readonly #asking: Promise<void>[] = [];
  readonly #asked: Asked[] = [];
  /** How many of these will not answer any more, or not well. */
  #failed = 0;
  #bad: Uint8Array | undefined;
  #failure: unknown;

  constructor(
    nameservers: readonly Nameserver[],
    { query, signal }: { query: Uint8Array; signal: AbortSignal },
  ) {
    this.#nameservers = nameservers;
    this.#query = query;
    this.#signal = signal;
    this.#askNext();
  }

  /** Rejects with the first failure when all have failed, or when the signal fires. */
  get answer(): Promise<Uint8Array> {
    return this.#answered.promise;
  }

  /** Resolves when nothing of it is left. To be called once the signal has fired. */
  async ended(): Promise<void> {
    await Promise.all(this.#asking);
  }

  #askNext(): void {
    const nameserver = this.#nameservers[this.#asked.length];
    if (nameserver === undefined || this.#signal.aborted) return;
    const asked: Asked = { isSpent: false };
    this.#asked.push(asked);
    let hasPassed = false;
    const onDoubt = () => {
      if (hasPassed) return;
      hasPassed = true;
      this.#askNext();
      this.#settle();
    };
    const onSpent = () => {
      asked.isSpent = true;
      onDoubt();
      this.#settle();
    };
    const isOnly = this.#nameservers.length === 1;
    const patience = isOnly ? {} : { onDoubt, onSpent };
    this.#asking.push(this.#ask(nameserver, { asked, onSpent, patience }));
  }

  async #ask(
    nameserver: Nameserver,
    { asked, onSpent, patience }: {
      asked: Asked;
      onSpent: () => void;
      patience: Pick<NameserverQuestion, "onDoubt" | "onSpent">;
    },
  ): Promise<void> {
    const signal = this.#signal;
    try {
      const answer = await nameserver.ask(this.#query, { signal, ...patience });
      if (!isDnsFailure(answer)) {
        if (hasDnsRecords(answer)) return this.#answered.resolve(answer);
        asked.negative = answer;
        return this.#settle();
      }
      this.#bad ??= answer;
    } catch (error) {
      this.#failure ??= error;
    }
    this.#failed++;
    onSpent();
  }

  #settle(): void {
    const { length } = this.#nameservers;
    const first = this.#asked.find(({ isSpent, negative }) =>
      negative !== undefined || !isSpent
    );
    if (first?.negative) this.#answered.resolve(first.negative);
    else if (
      first === undefined && this.#asked.length === length && this.#bad
    ) this.#answered.resolve(this.#bad);
    if (this.#failed === length || this.#signal.aborted) {
      this.#answered.reject(this.#failure);
    }
  }
}

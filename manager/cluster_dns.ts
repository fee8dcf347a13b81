/**
 * Asks the cluster's DNS raw messages, as the resolver of a pod does.
 *
 * 1. The first nameserver is asked. When it refuses, fails or is silent for its turn, the next one is asked, too.
 * 2. Who was asked is listened to until the end: what one knows slowly another may not know at all.
 * 3. The first good answer counts. Without one the first bad one does, once all have failed, or those that have not were
 *    silent for their turns.
 * 4. How long it may take is the asker's to say, by its signal.
 */
import {
  type Clock,
  dnsHeaderOctets,
  type Ip,
  isDnsFailure,
  RefusedError,
} from "../net/mod.ts";
import { refusalOfError } from "../tcp/mod.ts";
import { Nameserver } from "./nameserver.ts";

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

/** One question, and what becomes of it at each nameserver. */
class Inquiry {
  readonly #nameservers: readonly Nameserver[];
  readonly #query: Uint8Array;
  readonly #signal: AbortSignal;
  readonly #answered = Promise.withResolvers<Uint8Array>();
  readonly #asking: Promise<void>[] = [];
  /** How many had their turn. */
  #passed = 0;
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
    const nameserver = this.#nameservers[this.#passed];
    if (nameserver === undefined || this.#signal.aborted) return;
    let hasPassed = false;
    this.#asking.push(this.#ask(nameserver, () => {
      if (hasPassed) return;
      hasPassed = true;
      this.#passed++;
      this.#askNext();
      this.#settle();
    }));
  }

  async #ask(nameserver: Nameserver, pass: () => void): Promise<void> {
    const signal = this.#signal;
    const isOnly = this.#nameservers.length === 1;
    const onDoubt = isOnly ? undefined : pass;
    try {
      const answer = await nameserver.ask(this.#query, { signal, onDoubt });
      if (!isDnsFailure(answer)) return this.#answered.resolve(answer);
      this.#bad ??= answer;
    } catch (error) {
      this.#failure ??= error;
    }
    this.#failed++;
    pass();
    this.#settle();
  }

  #settle(): void {
    const { length } = this.#nameservers;
    if (this.#passed === length && this.#bad !== undefined) {
      this.#answered.resolve(this.#bad);
    }
    if (this.#failed === length || this.#signal.aborted) {
      this.#answered.reject(this.#failure);
    }
  }
}

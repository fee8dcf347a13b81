import { type Datagrams, type Ip, isEchoInFlow } from "../net/mod.ts";
import type { EchoProber } from "./echo_prober.ts";

/** Replies that wait to be received; more are dropped. */
const maxWaiting = 64;

export interface EchoFlowOptions {
  readonly to: Ip;
  readonly prober: Pick<EchoProber, "ask">;
  /** Whether one more request may be sent. */
  readonly mayAsk: () => boolean;
}

/** Echo requests to one address go in, the replies that it gave come out. */
export class EchoFlow implements Datagrams {
  readonly #options: EchoFlowOptions;
  readonly #waiting: Uint8Array[] = [];
  #wake = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(options: EchoFlowOptions) {
    this.#options = options;
  }

  send(bytes: Uint8Array): boolean {
    const { to, prober, mayAsk } = this.#options;
    if (this.#isClosed || !isEchoInFlow(bytes, "request")) return false;
    return mayAsk() && prober.ask(to, bytes, (reply) => this.#take(reply));
  }

  async receive(into: Uint8Array): Promise<number | null> {
    while (this.#waiting.length === 0 && !this.#isClosed) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
    const reply = this.#waiting.shift();
    if (reply === undefined) return null;
    const count = Math.min(reply.length, into.length);
    into.set(reply.subarray(0, count));
    return count;
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#wake.resolve();
  }

  #take(reply: Uint8Array): void {
    if (this.#isClosed || this.#waiting.length >= maxWaiting) return;
    this.#waiting.push(reply);
    this.#wake.resolve();
  }
}

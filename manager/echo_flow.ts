import {
  DatagramInbox,
  type Datagrams,
  type Ip,
  isEchoInFlow,
} from "../net/mod.ts";
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
  readonly #replies = new DatagramInbox(maxWaiting);
  #isClosed = false;

  constructor(options: EchoFlowOptions) {
    this.#options = options;
  }

  send(bytes: Uint8Array): boolean {
    const { to, prober, mayAsk } = this.#options;
    if (this.#isClosed || !isEchoInFlow(bytes, "request")) return false;
    return mayAsk() &&
      prober.ask(to, bytes, (reply) => void this.#replies.put(reply));
  }

  receive(into: Uint8Array): Promise<number | null> {
    return this.#replies.receive(into);
  }

  forward(take: (bytes: Uint8Array) => void): Promise<void> {
    return this.#replies.forward(take);
  }

  close(): void {
    this.#isClosed = true;
    this.#replies.clear();
    this.#replies.end();
  }
}

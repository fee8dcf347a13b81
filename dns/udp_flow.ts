import { DatagramInbox, type Datagrams } from "../net/mod.ts";

/** The most answers that wait in a flow to be taken; more are dropped, as the network would. */
const maxWaitingAnswers = 256;

/** Answers one query; `undefined` when it deserves no answer. Must not reject. */
export type AnswerOne = (query: Uint8Array) => Promise<Uint8Array | undefined>;

export interface FlowEvents {
  /** An answer found no room. */
  drop(): void;
  /** The flow was closed. */
  close(): void;
}

/** One UDP flow of an app that asks: what it sends are queries, what it receives are answers, as they come. */
export class UdpFlow implements Datagrams {
  readonly #answerOne: AnswerOne;
  readonly #on: FlowEvents;
  readonly #answers = new DatagramInbox(maxWaitingAnswers);
  #closed = false;

  constructor(answerOne: AnswerOne, on: FlowEvents) {
    this.#answerOne = answerOne;
    this.#on = on;
  }

  send(query: Uint8Array): boolean {
    if (this.#closed) return false;
    this.#answerOne(query.slice()).then((answer) => {
      if (answer === undefined || this.#closed) return;
      if (!this.#answers.put(answer)) this.#on.drop();
    });
    return true;
  }

  receive(into: Uint8Array): Promise<number | null> {
    return this.#answers.receive(into);
  }

  forward(take: (bytes: Uint8Array) => void): Promise<void> {
    return this.#answers.forward(take);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#on.close();
    this.#answers.clear();
    this.#answers.end();
  }
}

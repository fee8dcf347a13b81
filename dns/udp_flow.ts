import type { Datagrams } from "../net/mod.ts";

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
  readonly #answers: Uint8Array[] = [];
  #wake = Promise.withResolvers<void>();
  #closed = false;

  constructor(answerOne: AnswerOne, on: FlowEvents) {
    this.#answerOne = answerOne;
    this.#on = on;
  }

  send(query: Uint8Array): boolean {
    if (this.#closed) return false;
    this.#answerOne(query.slice()).then((answer) => {
      if (answer === undefined || this.#closed) return;
      if (this.#answers.length >= maxWaitingAnswers) return this.#on.drop();
      this.#answers.push(answer);
      this.#wake.resolve();
    });
    return true;
  }

  async receive(into: Uint8Array): Promise<number | null> {
    while (this.#answers.length === 0 && !this.#closed) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
    const answer = this.#answers.shift();
    if (answer === undefined) return null;
    const count = Math.min(answer.length, into.length);
    into.set(answer.subarray(0, count));
    return count;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#on.close();
    this.#answers.length = 0;
    this.#wake.resolve();
  }
}

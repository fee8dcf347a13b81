import { ConnResetError, quantum } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";
import type { Mark } from "../open_destination.ts";
import type { TapFeed } from "../tap_feed.ts";
import { bodyScanner } from "./body_scanner.ts";
import { Answer, type AnswerEnd } from "./answer.ts";
import { FramingError } from "./fields.ts";
import type { Request } from "./request.ts";

export interface ExchangeParts {
  readonly client: ByteSource;
  readonly upstream: ByteSource;
  readonly request: Request;
  /** The head lies at the beginning of what waits at the client, so long. */
  readonly headOctets: number;
  readonly feeds: readonly TapFeed[];
  readonly mark: Mark | undefined;
  /** Whether the client shall be told to leave after this. */
  readonly isToLeave: () => boolean;
}

export type ExchangeEnd =
  | Exclude<AnswerEnd, { kind: "silent" }>
  /** The upstream ended or broke before an octet of an answer. The head is still there if it may be tried again. */
  | { kind: "unanswered"; mayRetry: boolean; error: Error | undefined }
  | { kind: "bad-request"; error: FramingError; isAnswered: boolean }
  | { kind: "client-gone" };

/** RFC 9110 section 9.2.2. */
const idempotent = /^(GET|HEAD|OPTIONS|TRACE|PUT|DELETE)$/;

/**
 * One request and its answer.
 *
 * 1. The head goes to the upstream with what is there of the body, and stays with the client's octets while the request
 *    may be tried again.
 * 2. The body follows as it comes; its scanner says where it ends.
 * 3. After it the client is watched: its end and its going away are the upstream's.
 * 4. The answer comes beside all this ({@link Answer}), and may come first.
 */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #answer: Answer;
  /** Octets of the head that still lie with the client's. */
  #heldOctets: number;
  /** Whether the upstream may have more than a part of the head, and so may have begun to do what it says. */
  #mayHaveHead = false;
  #isBodyTouched = false;
  #isSent = false;
  #isOver = false;
  #uploadError: Error | undefined;
  #isClientGone = false;
  #sent = Promise.withResolvers<void>();

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#heldOctets = parts.headOctets;
    this.#answer = new Answer({
      ...parts,
      onFirstOctet: () => this.#release(),
    });
  }

  async run(): Promise<ExchangeEnd> {
    this.#upload().catch((error) => this.#onUploadError(error))
      .finally(() => this.#sent.resolve());
    let end: ExchangeEnd | AnswerEnd = await this.#answer.relay()
      .catch((error) => this.#endOf(error));
    if (end.kind === "silent") end = this.#endOf(undefined);
    if (end.kind === "done" && end.persists) {
      end = { kind: "done", persists: await this.#finishUpload() };
    } else if (end.kind === "opaque") await this.#sent.promise;
    this.#isOver = true;
    if (!(end.kind === "unanswered" && end.mayRetry)) this.#release();
    this.#endUpstreamAfter(end);
    return end;
  }

  #endUpstreamAfter(end: ExchangeEnd): void {
    const { upstream } = this.#parts;
    if (end.kind === "opaque" || end.kind === "done" && end.persists) return;
    if (end.kind === "done" && this.#isSent) upstream.close();
    else upstream.reset();
  }

  /** @param error Why the answer ended; none when the upstream ended in order. */
  #endOf(error: Error | undefined): ExchangeEnd {
    if (this.#uploadError instanceof FramingError) {
      const { isFinal } = this.#answer;
      return {
        kind: "bad-request",
        error: this.#uploadError,
        isAnswered: isFinal,
      };
    }
    if (this.#isClientGone || this.#answer.isClientGone) {
      return { kind: "client-gone" };
    }
    if (this.#answer.isBegun) return { kind: "broken" };
    const { method } = this.#parts.request.head;
    return {
      kind: "unanswered",
      error,
      mayRetry: !this.#isBodyTouched &&
        (!this.#mayHaveHead || idempotent.test(method)),
    };
  }

  async #upload(): Promise<void> {
    const { client, request, headOctets, feeds } = this.#parts;
    const scanner = bodyScanner(request.framing);
    // The answer may come before they are written, and let go of the head; nobody reads over it before they are.
    const first = client.unread;
    const begun = headOctets + scanner.scan(first.subarray(headOctets));
    // A write that fails may have delivered all but its last octet.
    this.#mayHaveHead = begun > headOctets;
    await this.#write(first.subarray(0, begun));
    if (begun > headOctets) {
      await this.#onBody(first.subarray(headOctets, begun));
    }
    while (!scanner.done && !this.#isOver) {
      if (client.unreadBytes === this.#heldOctets) {
        if (client.isFull) this.#giveUpRetry();
        if (!await this.#more()) return await this.#endUpstream();
        if (this.#isOver) return;
      }
      this.#giveUpRetry();
      const octets = client.unread;
      const body = octets.subarray(0, scanner.scan(octets));
      await this.#write(body);
      await this.#onBody(body);
    }
    if (this.#isOver) return;
    for (const feed of feeds) feed.endMessage();
    this.#isSent = true;
    this.#sent.resolve();
    await this.#watchClient();
  }

  async #write(octets: Uint8Array): Promise<void> {
    for (let done = 0; done < octets.length;) {
      done += await this.#parts.upstream.write(octets.subarray(done));
      this.#mayHaveHead = true;
    }
  }

  /** The upstream has this part of the body. */
  async #onBody(body: Uint8Array): Promise<void> {
    if (this.#isOver) return;
    this.#giveUpRetry();
    for (const feed of this.#parts.feeds) feed.feed(body);
    this.#parts.client.consume(body.length);
    const nextTurn = quantum.spend(body.length);
    if (nextTurn !== undefined) await nextTurn;
  }

  /** Until it sends a further request, ends, or goes away. */
  async #watchClient(): Promise<void> {
    const { client } = this.#parts;
    while (client.unreadBytes === this.#heldOctets) {
      if (this.#isOver || client.isFull) return;
      if (!await this.#more()) return await this.#endUpstream();
    }
    if (!this.#isOver) this.#answer.onClientSpeaks();
  }

  async #endUpstream(): Promise<void> {
    if (!this.#isOver) await this.#parts.upstream.closeWrite();
  }

  async #more(): Promise<boolean> {
    try {
      return await this.#parts.client.fill();
    } catch (error) {
      this.#isClientGone = true;
      throw error;
    }
  }

  #giveUpRetry(): void {
    this.#isBodyTouched = true;
    this.#release();
  }

  #release(): void {
    this.#parts.client.consume(this.#heldOctets);
    this.#heldOctets = 0;
  }

  /** An upstream that takes no more may still answer; for a client at fault or gone it must not. */
  #onUploadError(error: Error): void {
    if (this.#isOver) return;
    this.#uploadError = error;
    if (this.#isClientGone || !(error instanceof ConnResetError)) {
      this.#parts.upstream.reset();
    }
  }

  /** The answer was there first, and the connection goes on: if the rest of the request is taken. */
  async #finishUpload(): Promise<boolean> {
    if (this.#isSent) return true;
    const upstreamSpeaks = this.#parts.upstream.fill().catch(() => false);
    await Promise.race([this.#sent.promise, upstreamSpeaks]);
    return this.#isSent;
  }
}

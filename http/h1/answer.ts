import { Buffer } from "node:buffer";
import { quantum, writeAll } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";
import type { Mark } from "../open_destination.ts";
import { Interruptible } from "../interruptible.ts";
import { type BodyScanner, bodyScanner } from "./body_scanner.ts";
import { findHeadEnd, FramingError } from "./fields.ts";
import type { Request } from "./request.ts";
import { parseResponse, type Response } from "./response.ts";

export type AnswerEnd =
  /** `persists`: both sides may go on with a further request. */
  | { kind: "done"; persists: boolean }
  /** From here on the connection is a pipe. */
  | { kind: "opaque" }
  /** Nothing of it was delivered: it can be read in two ways. */
  | { kind: "invalid" }
  /** The upstream ended in the middle of it. */
  | { kind: "cut" }
  | { kind: "broken" }
  /** The upstream ended without an answer. */
  | { kind: "silent" };

export interface AnswerParts {
  readonly client: ByteSource;
  readonly upstream: ByteSource;
  readonly request: Request;
  /** A field for the response. */
  readonly mark: Mark | undefined;
  readonly isToLeave: () => boolean;
  /** Called before the first octet is relayed. */
  readonly onFirstOctet: () => void;
}

const statusBegin = Buffer.from("HTTP/1.");

/**
 * What an upstream answers to one request: any number of interim responses and a final one. Octets pass as they are.
 *
 * What is no strict HTTP still passes, as the app's clients may have got along with it; but then it ends with the
 * upstream's end, or when the client, who sees an end that we do not see, speaks again. No request follows it.
 */
export class Answer {
  readonly #parts: AnswerParts;
  /** Of what has no end that can be told. */
  readonly #filling = new Interruptible<boolean>();
  #hasClientSpoken = false;
  /** Whether the upstream said anything. */
  isBegun = false;
  /** Whether something of the final response was delivered. */
  isFinal = false;
  isClientGone = false;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** The client sent something after the whole request. */
  onClientSpeaks(): void {
    this.#hasClientSpoken = true;
    this.#filling.interrupt(Promise.resolve(false));
  }

  /** @throws {ConnResetError} when either side broke. */
  async relay(): Promise<AnswerEnd> {
    const { upstream, request } = this.#parts;
    for (;;) {
      const headOctets = await this.#waitForHead();
      if (headOctets === undefined) {
        if (upstream.unreadBytes === 0 && !this.isBegun) {
          return { kind: "silent" };
        }
        return await this.#relayUnread();
      }
      const head = upstream.unread.subarray(0, headOctets);
      const response = parseResponse(head, request);
      if (response === undefined) return await this.#relayUnread();
      if (response === "invalid") return { kind: "invalid" };
      if (response.status === 101 && !request.upgrades) {
        return { kind: "invalid" };
      }
      if (response.status >= 200 || response.status === 101) {
        this.isFinal = true;
        return await this.#relayFinal(response, headOctets);
      }
      await this.#pass(head);
    }
  }

  /** Resolves to its length, to `undefined` for what is none. */
  async #waitForHead(): Promise<number | undefined> {
    const { upstream } = this.#parts;
    for (;;) {
      const { unread } = upstream;
      if (unread.length > 0 && !this.isBegun) {
        this.isBegun = true;
        this.#parts.onFirstOctet();
      }
      const compared = Math.min(unread.length, statusBegin.length);
      if (
        !statusBegin.subarray(0, compared).equals(unread.subarray(0, compared))
      ) return undefined;
      try {
        const end = findHeadEnd(unread);
        if (end !== undefined) return end;
      } catch {
        return undefined;
      }
      if (upstream.isFull || !await upstream.fill()) return undefined;
    }
  }

  /** What is there of the body goes with the head. */
  async #relayFinal(
    { status, framing, persists }: Response,
    headOctets: number,
  ): Promise<AnswerEnd> {
    const { upstream, request } = this.#parts;
    const isLast = this.#isLast(status);
    const scanner = bodyScanner(framing);
    const begun = bodyOctets(scanner, upstream.unread.subarray(headOctets));
    const octets = upstream.unread
      .subarray(0, headOctets + (begun?.length ?? 0));
    await this.#pass(octets, this.#marked(octets, headOctets, isLast));
    const isTunnel = status === 101 ||
      request.head.method === "CONNECT" && status < 300;
    if (isTunnel) return { kind: "opaque" };
    if (begun === undefined) return await this.#relayUnread();
    while (!scanner.done) {
      if (upstream.unreadBytes === 0 && !await upstream.fill()) {
        return framing.kind === "until-close"
          ? { kind: "done", persists: false }
          : { kind: "cut" };
      }
      const octets = bodyOctets(scanner, upstream.unread);
      if (octets === undefined) return await this.#relayUnread();
      await this.#pass(octets);
    }
    return { kind: "done", persists: !isLast && persists && request.persists };
  }

  /** What has no end that can be told. */
  async #relayUnread(): Promise<AnswerEnd> {
    const { upstream } = this.#parts;
    // Who has sent a further request would take the octets after the end for its answer.
    if (this.#hasClientSpoken && !this.isFinal) return { kind: "invalid" };
    this.isFinal = true;
    do {
      if (upstream.unreadBytes > 0) await this.#pass(upstream.unread);
    } while (await this.#filling.wait(upstream.fill()));
    return { kind: "done", persists: false };
  }

  /** @param as What the client gets in the place of `octets`. */
  async #pass(octets: Uint8Array, as = octets): Promise<void> {
    await this.#write(as);
    this.#parts.upstream.consume(octets.length);
    const nextTurn = quantum.spend(octets.length);
    if (nextTurn !== undefined) await nextTurn;
  }

  async #write(octets: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#parts.client, octets);
    } catch (error) {
      this.isClientGone = true;
      throw error;
    }
  }

  /** Who has sent a further request gets its answer before it is to leave. */
  #isLast(status: number): boolean {
    return status !== 101 && !this.#hasClientSpoken && this.#parts.isToLeave();
  }

  /** `octets`, which begin with a head, with the fields that are ours to add. */
  #marked(
    octets: Uint8Array,
    headOctets: number,
    isLast: boolean,
  ): Uint8Array {
    const { mark } = this.#parts;
    if (mark === undefined && !isLast) return octets;
    const fields = [
      ...mark === undefined ? [] : [`${mark[0]}: ${mark[1]}\r\n`],
      ...isLast ? ["Connection: close\r\n"] : [],
    ];
    const end = headOctets - "\r\n".length;
    return Buffer.concat([
      octets.subarray(0, end),
      Buffer.from(fields.join(""), "latin1"),
      octets.subarray(end),
    ]);
  }
}

/** The body's part of `octets`; `undefined` if they are no body's. */
function bodyOctets(
  scanner: BodyScanner,
  octets: Uint8Array,
): Uint8Array | undefined {
  try {
    return octets.subarray(0, scanner.scan(octets));
  } catch (error) {
    if (error instanceof FramingError) return undefined;
    throw error;
  }
}

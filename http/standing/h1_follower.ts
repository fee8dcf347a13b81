import { Buffer } from "node:buffer";
import { sourceBytes } from "../byte_source.ts";
import { type BodyScanner, bodyScanner } from "../h1/body_scanner.ts";
import { findHeadEnd } from "../h1/fields.ts";
import { type Framing, parseRequest, type Request } from "../h1/request.ts";
import { parseResponse } from "../h1/response.ts";

/** Requests that a client sends before it has the answers; of one that sends more nothing is known any more. */
const maxOwed = 64;

/**
 * Knows of an HTTP/1 connection that passes whether a request is under way. It reads heads and skips bodies. What it does
 * not understand to the letter makes it lose the thread, for good.
 */
export class H1Follower {
  readonly #client = new Messages((head) => this.#onRequest(head));
  readonly #app = new Messages((head) => this.#onResponse(head));
  /** Whose answers have not come to their ends, in order. */
  readonly #owed: Request[] = [];
  #isLost = false;

  /** Whether every request has been answered to its end. False when it is not known, and when the connection ends now. */
  get isAtRest(): boolean {
    return !this.#isLost && this.#owed.length === 0 &&
      this.#client.isBetween && this.#app.isBetween;
  }

  /** Whether nothing is known of the connection any more. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * To be told before the app gets them.
   *
   * @returns How many were followed: with `untilEnd` none behind the first end of a request, and none at all between two.
   */
  fromClient(
    octets: Uint8Array,
    { untilEnd = false }: { untilEnd?: boolean } = {},
  ): number {
    return this.#follow(this.#client, octets, untilEnd);
  }

  fromApp(octets: Uint8Array): void {
    this.#follow(this.#app, octets, false);
  }

  #follow(messages: Messages, octets: Uint8Array, untilEnd: boolean): number {
    let followed = octets.length;
    if (this.#isLost) return followed;
    try {
      followed = messages.follow(octets, { untilEnd });
    } catch {
      this.#isLost = true;
    }
    return this.#isLost ? octets.length : followed;
  }

  #onRequest(head: Uint8Array): Framing {
    const request = parseRequest(head);
    if (request.head.method === "CONNECT" || this.#owed.length === maxOwed) {
      this.#isLost = true;
    }
    this.#owed.push(request);
    if (!request.persists) this.#isLost = true;
    return request.framing;
  }

  #onResponse(head: Uint8Array): ReturnType<OnHead> {
    const [request] = this.#owed;
    const response = request && parseResponse(head, request);
    if (typeof response !== "object" || !response.persists) {
      this.#isLost = true;
      return { kind: "until-close" };
    }
    const { status, framing } = response;
    if (status === 101) this.#isLost = true;
    if (status < 200) return framing;
    return { ...framing, onEnd: () => void this.#owed.shift() };
  }
}

/** Told of each head; says what follows it, and what to do at its end. */
type OnHead = (head: Uint8Array) => Framing & { onEnd?: () => void };

/** The messages of one direction. */
class Messages {
  readonly #onHead: OnHead;
  /** Of a head that is not whole. */
  #begun: Uint8Array | undefined;
  #body: BodyScanner | undefined;
  #onEnd: (() => void) | undefined;

  constructor(onHead: OnHead) {
    this.#onHead = onHead;
  }

  get isBetween(): boolean {
    return this.#begun === undefined && this.#body === undefined;
  }

  /**
   * @returns How many octets were followed: with `untilEnd` none from where the next message begins.
   * @throws {FramingError} or {RangeError} for what is no message.
   */
  follow(octets: Uint8Array, { untilEnd }: { untilEnd: boolean }): number {
    let done = 0;
    while (done < octets.length && !(untilEnd && this.isBetween)) {
      const rest = octets.subarray(done);
      done += this.#body === undefined
        ? this.#readHead(rest)
        : this.#skip(rest);
    }
    return done;
  }

  #skip(octets: Uint8Array): number {
    const count = this.#body!.scan(octets);
    if (this.#body!.done) this.#end();
    return count;
  }

  #readHead(octets: Uint8Array): number {
    const had = this.#begun?.length ?? 0;
    const head = this.#begun ? Buffer.concat([this.#begun, octets]) : octets;
    const end = findHeadEnd(head);
    if (end === undefined) {
      if (head.length > sourceBytes) throw new RangeError("a head is too long");
      this.#begun = head.slice();
      return octets.length;
    }
    this.#begun = undefined;
    const framing = this.#onHead(head.subarray(0, end));
    this.#onEnd = framing.onEnd;
    if (framing.kind === "none") this.#end();
    else this.#body = bodyScanner(framing);
    return end - had;
  }

  #end(): void {
    this.#body = undefined;
    this.#onEnd?.();
    this.#onEnd = undefined;
  }
}

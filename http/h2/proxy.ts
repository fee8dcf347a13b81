/**
 * A client connection that speaks HTTP/2: each request becomes a stream at its own destination's connection.
 *
 * 1. The head is routed; its destination's connection is there, or opened, or another one's in its place.
 * 2. The request waits until that connection has room for a stream.
 * 3. The two streams are joined.
 * 4. An app that says goodbye wants its clients elsewhere, maybe at another pod: this one is told to leave too.
 */
import { RefusedError } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";
import type { Destination } from "../destination.ts";
import type { ConnectionParts } from "../connection_parts.ts";
import { openDestination } from "../open_destination.ts";
import { h2Preface } from "../sniff.ts";
import { H2Connection } from "./connection.ts";
import {
  answerEmpty,
  badGateway,
  endsWithHead,
  joinStreams,
} from "./exchange.ts";
import { codeOf } from "./frame.ts";
import type { H2Stream } from "./stream.ts";
import type { H2Request } from "./take_head.ts";
import { TapCopies } from "./tap_copies.ts";
import { H2Upstreams } from "./upstreams.ts";

/** How often a request goes to a fresh connection because the one that it was for took none any more. */
const maxAttempts = 3;

/** Serves until the connection is over. @param app The app's connection, if it is open; nothing was said on it. */
export async function serveH2(
  parts: ConnectionParts,
  app: ByteSource | undefined,
): Promise<void> {
  await new Proxy(parts).run(app);
}

class Proxy {
  readonly #parts: ConnectionParts;
  readonly #client: H2Connection;
  readonly #upstreams: H2Upstreams;
  readonly #taps: TapCopies;
  #isToLeave = false;
  #isEnding = false;
  #callOffEnd = () => {};

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#upstreams = new H2Upstreams({
      clock: parts.clock,
      onGoAway: (destination) => {
        if (destination === parts.options.otherwise) this.#drain();
      },
    });
    this.#taps = new TapCopies({ clock: parts.clock, ...parts.options });
    parts.client.consume(h2Preface.length);
    this.#client = new H2Connection(parts.client, {
      role: "server",
      clock: parts.clock,
      handlers: {
        onRequest: (request) => this.#onRequest(request),
        onTooLarge: (stream) => answerEmpty(this.#end(stream), "431"),
        onRoom: () => {
          this.#upstreams.lookAgain();
          this.#endIfDrained();
        },
      },
    });
  }

  async run(app: ByteSource | undefined): Promise<void> {
    const { options, upstreams, signal } = this.#parts;
    if (app !== undefined) {
      upstreams.release(app);
      this.#upstreams.adopt(options.otherwise, app);
    }
    const breakOff = () => {
      this.#upstreams.end({ waits: false });
      this.#taps.end({ waits: false });
    };
    signal.addEventListener("abort", breakOff);
    const drain = () => this.#drain();
    if (options.drain?.aborted) drain();
    options.drain?.addEventListener("abort", drain);
    await this.#client.run();
    this.#isToLeave = this.#isEnding = true;
    this.#callOffEnd();
    options.drain?.removeEventListener("abort", drain);
    await this.#upstreams.end({ waits: false });
    await this.#taps.end({ waits: !signal.aborted });
    signal.removeEventListener("abort", breakOff);
  }

  #drain(): void {
    if (this.#isToLeave) return;
    this.#isToLeave = true;
    this.#client.refuseFurther();
    this.#endIfDrained();
  }

  /** A client that does not end when all is answered is not waited for. */
  #endIfDrained(): void {
    if (!this.#isToLeave || this.#isEnding || this.#client.streams > 0) return;
    this.#isEnding = true;
    this.#client.end();
    const { clock, limits, client } = this.#parts;
    this.#callOffEnd = clock.after(limits.lingerMs, () => client.close());
  }

  #end(stream: H2Stream) {
    return { connection: this.#client, stream };
  }

  #onRequest(request: H2Request): void {
    const routed = this.#parts.options.route(request.head);
    const isTapped = "taps" in routed;
    if (isTapped) this.#taps.begin(request, routed.taps);
    this.#forward(request, isTapped ? routed.destination : routed)
      .catch((error) => this.#refuse(request, error));
  }

  /** Nobody takes it. A client that is to leave asks elsewhere, as nothing was delivered. */
  #refuse({ stream }: H2Request, error: unknown): void {
    if (this.#isToLeave && error instanceof RefusedError) {
      this.#client.reset(stream, codeOf("refused-stream"));
    } else badGateway(this.#end(stream));
  }

  /** Rejects when nobody takes it. */
  async #forward(request: H2Request, destination: Destination): Promise<void> {
    const { stream, fields, head } = request;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { upstream: connection, mark } = await openDestination(
        destination,
        (one) => this.#upstreams.take(one),
      );
      const upstream = await this.#upstreams.request(connection, fields, {
        ends: () => endsWithHead(request),
        isWanted: () => !isGone(stream),
      });
      if (isGone(stream)) return;
      if (upstream === undefined) continue;
      upstream.isAnswerToHead = head.method === "HEAD";
      joinStreams(this.#end(stream), { connection, stream: upstream }, mark);
      return;
    }
    this.#client.reset(stream, codeOf("refused-stream"));
  }
}

/** Whether nobody waits for the answer. */
function isGone(stream: H2Stream): boolean {
  return stream.isClosed;
}

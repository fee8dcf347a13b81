import type { RequestHead } from "../request_head.ts";
import { H2Error } from "./error.ts";
import { checkTrailers, parseRequestHead, parseResponseHead } from "./head.ts";
import type { H2Field } from "./hpack_decoder.ts";
import type { H2Stream } from "./stream.ts";

export interface H2Request {
  readonly stream: H2Stream;
  readonly head: RequestHead;
  readonly fields: readonly H2Field[];
}

export interface H2Handlers {
  /** A client asks. */
  onRequest?: (request: H2Request) => void;
  /** A request has a head too large; its stream is waiting for an answer. */
  onTooLarge?: (stream: H2Stream) => void;
  /** A stream may have room: one has closed, or the peer allows more. */
  onRoom?: () => void;
}

/**
 * What a whole header block means on its stream: a request, an interim or final answer, or trailers.
 *
 * @throws {H2Error} when it may not be there, or is malformed; nobody has seen it then.
 */
export function takeHead(
  stream: H2Stream,
  fields: readonly H2Field[] | undefined,
  { ends, isServer, handlers }: {
    ends: boolean;
    isServer: boolean;
    handlers: H2Handlers;
  },
): void {
  if (stream.hasReceivedHead) {
    if (!ends || fields === undefined) {
      throw new H2Error("protocol", "trailers that are none");
    }
    checkTrailers(fields);
    return finish(stream, fields);
  }
  if (isServer) {
    stream.hasReceivedHead = true;
    if (fields === undefined) {
      if (ends) finish(stream);
      return handlers.onTooLarge?.(stream);
    }
    const { head, octets } = parseRequestHead(fields);
    stream.octetsLeft = octets;
    if (ends) finish(stream);
    return handlers.onRequest?.({ stream, head, fields });
  }
  if (fields === undefined) throw new H2Error("protocol", "a head too large");
  const { status, octets } = parseResponseHead(fields);
  if (status < 200) {
    if (ends) throw new H2Error("protocol", "an interim head that ends");
    return stream.onHead(fields, false);
  }
  stream.hasReceivedHead = true;
  const hasBody = !stream.isAnswerToHead && status !== 204 && status !== 304;
  stream.octetsLeft = hasBody ? octets : undefined;
  if (ends && stream.octetsLeft) {
    throw new H2Error("protocol", "less than its length");
  }
  stream.onHead(fields, ends);
  if (ends) finish(stream);
}

/** The peer's end of a stream. @throws {H2Error} when its body is shorter than it said. */
export function finish(
  stream: H2Stream,
  trailers?: readonly H2Field[],
): void {
  if (stream.octetsLeft !== undefined && stream.octetsLeft !== 0) {
    throw new H2Error("protocol", "less than its length", stream.id);
  }
  stream.hasReceivedEnd = true;
  stream.incoming.finish(trailers);
}

import type { Mark } from "../open_destination.ts";
import type { H2Connection } from "./connection.ts";
import { codeOf } from "./frame.ts";
import type { H2Field } from "./hpack_decoder.ts";
import type { H2Stream } from "./stream.ts";
import type { H2Request } from "./take_head.ts";

/** A stream and the connection that it is of. */
export interface End {
  readonly connection: H2Connection;
  readonly stream: H2Stream;
}

/** Joins the stream of a request with the one that it became at its destination, until both are over. */
export function joinStreams(
  client: End,
  upstream: End,
  mark: Mark | undefined,
): void {
  const request = client.stream.incoming;
  const answer = upstream.stream.incoming;
  let isAnswered = false;

  upstream.stream.outgoing = request;
  client.stream.outgoing = answer;
  request.onReadable = () => upstream.connection.wake(upstream.stream);
  answer.onReadable = () => client.connection.wake(client.stream);

  upstream.stream.onHead = (fields, ends) => {
    const isFinal = !isInterim(fields);
    isAnswered ||= isFinal;
    const marked: readonly H2Field[] = isFinal && mark !== undefined
      ? [...fields, [mark[0].toLowerCase(), mark[1]]]
      : fields;
    client.connection.respond(client.stream, marked, ends);
  };
  upstream.stream.onReset = (code, isLost) => {
    request.onReadable = () => request.discard();
    request.discard();
    if (upstream.stream.hasReceivedEnd) {
      // RFC 9113 section 8.1: the whole answer is there, the rest of the request is not wanted.
      client.stream.resetAfterEnd = code;
      if (client.stream.hasSentEnd) {
        client.connection.reset(client.stream, code);
      }
    } else if (isLost && !isAnswered) {
      badGateway(client);
    } else client.connection.reset(client.stream, code);
  };
  client.stream.onReset = (code) => {
    upstream.connection.reset(upstream.stream, code);
    request.discard();
    answer.discard();
  };
  // What came before they were joined.
  upstream.connection.wake(upstream.stream);
}

function isInterim(fields: readonly H2Field[]): boolean {
  return fields[0]?.[0] === ":status" && fields[0][1].startsWith("1");
}

/** Answers without a body, after which nothing of the request is wanted. */
export function answerEmpty({ connection, stream }: End, status: string): void {
  const { incoming } = stream;
  incoming.onReadable = () => incoming.discard();
  incoming.discard();
  stream.resetAfterEnd = codeOf("none");
  connection.respond(
    stream,
    [[":status", status], ["content-length", "0"]],
    true,
  );
}

export function badGateway(client: End): void {
  answerEmpty(client, "502");
}

/** Whether the request is its head alone. */
export function endsWithHead({ stream }: Pick<H2Request, "stream">): boolean {
  const { incoming } = stream;
  return incoming.size === 0 && incoming.end?.trailers.length === 0;
}

/**
 * A client connection that speaks HTTP/1:
 *
 * 1. A head is read whole; what is wrong with it ends the connection (400, 408, 431, 505).
 * 2. The request is routed, and its destination opened unless there is an idle connection to it.
 * 3. Request and answer pass ({@link Exchange}), then the next request is read: answers are in order.
 * 4. A protocol switch makes the connection a pipe.
 */
import { pipe } from "../../net/mod.ts";
import type { ByteSource } from "../byte_source.ts";
import type { ConnectionParts } from "../connection_parts.ts";
import type { Destination } from "../destination.ts";
import { openDestination, type Opened } from "../open_destination.ts";
import { watchClient } from "../watch_client.ts";
import { TappedConn } from "../tapped_pipe.ts";
import type { TapFeed } from "../tap_feed.ts";
import { DrainWatch } from "./drain_watch.ts";
import { Exchange, type ExchangeEnd } from "./exchange.ts";
import { FramingError } from "./fields.ts";
import { readHead } from "./read_head.ts";
import { linger, reply } from "./reply.ts";
import { parseRequest, type Request } from "./request.ts";
import type { Upstream } from "./upstreams.ts";

/** Serves until the connection is over. Rejects when the client broke it off. */
export async function serveH1(parts: ConnectionParts): Promise<void> {
  const { client } = parts;
  using drain = new DrainWatch(parts.options.drain);
  for (let isFirst = true;; isFirst = false) {
    let request: Request;
    let headOctets: number | undefined;
    try {
      headOctets = await readHead(client, { ...parts, isFirst, drain });
      if (headOctets === undefined) {
        return await linger(client, { ...parts.limits, ...parts });
      }
      request = parseRequest(client.unread.subarray(0, headOctets));
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      return await refuse(parts, error);
    }
    const end = await serveRequest(parts, request, headOctets);
    if (end === "over") return;
  }
}

async function refuse(
  parts: ConnectionParts,
  { status, message }: FramingError,
): Promise<void> {
  await reply(parts.client, status, {
    text: `Cannot take the request: ${message}`,
  });
  await linger(parts.client, { ...parts.limits, ...parts });
}

async function serveRequest(
  parts: ConnectionParts,
  request: Request,
  headOctets: number,
): Promise<"next" | "over"> {
  const { client, upstreams, taps, options, signal } = parts;
  const routed = options.route(request.head);
  const isTapped = "taps" in routed;
  const destination = isTapped ? routed.destination : routed;
  const feeds = isTapped ? taps.begin(routed.taps) : [];
  for (const feed of feeds) feed.feed(client.unread.subarray(0, headOctets));

  for (;;) {
    const opened = await open(parts, destination).catch((error: Error) =>
      error
    );
    if (signal.aborted) throw signal.reason;
    if (opened instanceof Error) {
      return await badGateway(parts, request, opened.message);
    }
    const { upstream, mark } = opened;
    const exchange = new Exchange({
      client,
      upstream: upstream.source,
      request,
      headOctets,
      feeds,
      mark,
      isToLeave: () => options.drain?.aborted ?? false,
    });
    const end = await exchange.run();
    if (end.kind === "done" && end.persists) {
      upstreams.keep(opened.destination, upstream.source);
      return "next";
    }
    if (end.kind === "opaque") {
      return await switchProtocol(parts, upstream.source, feeds);
    }
    upstreams.release(upstream.source);
    const mayRetry = end.kind === "unanswered" && end.mayRetry &&
      upstream.isKept;
    if (!mayRetry) return await finish(parts, request, end);
  }
}

function open(
  parts: ConnectionParts,
  destination: Destination,
): Promise<Opened<Upstream>> {
  return openDestination(destination, (one) => {
    const idle = parts.upstreams.takeIdle(one);
    return idle === undefined ? openFresh(parts, one) : Promise.resolve(idle);
  });
}

async function openFresh(
  { client, upstreams, ...parts }: ConnectionParts,
  destination: Destination,
): Promise<Upstream> {
  using watch = watchClient(client, parts);
  return await upstreams.open(destination, { signal: watch.gone });
}

async function switchProtocol(
  { client, upstreams }: ConnectionParts,
  upstream: ByteSource,
  feeds: readonly TapFeed[],
): Promise<"over"> {
  for (const feed of feeds) feed.beginMessage();
  await pipe(
    feeds.length === 0 ? client : new TappedConn(client, feeds),
    upstream,
  );
  upstreams.release(upstream);
  return "over";
}

/** How the client learns of an end after which nothing follows: as it would have of the upstream itself. */
async function finish(
  parts: ConnectionParts,
  request: Request,
  end: ExchangeEnd,
): Promise<"over"> {
  const { client } = parts;
  switch (end.kind) {
    case "bad-request":
      if (end.isAnswered) client.reset();
      else await refuse(parts, end.error);
      return "over";
    case "invalid":
      return await badGateway(parts, request, "its answer is no valid HTTP");
    case "unanswered":
      if (end.error !== undefined) client.reset();
      else await linger(client, { ...parts.limits, ...parts });
      return "over";
    case "done":
    case "cut":
      await linger(client, { ...parts.limits, ...parts });
      return "over";
    default:
      client.reset();
      return "over";
  }
}

async function badGateway(
  parts: ConnectionParts,
  request: Request,
  why: string,
): Promise<"over"> {
  await reply(parts.client, 502, {
    text: `Cannot forward the request: ${why}`,
    method: request.head.method,
  });
  await linger(parts.client, { ...parts.limits, ...parts });
  return "over";
}

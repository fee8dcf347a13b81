import { type Conn, ConnBehind, pipe } from "../net/mod.ts";
import type { Destination } from "./destination.ts";
import type { OnTapLost } from "./serve_options.ts";
import { TapFeed } from "./tap_feed.ts";

/**
 * Joins `client` and `app` like `pipe`, and copies to `taps` what the client sends. Tap answers are thrown away. A tap
 * that refuses, ends or is too far behind loses the rest; neither `client` nor `app` ever waits for one.
 */
export async function tappedPipe(
  client: Conn,
  app: Conn,
  taps: readonly Destination[],
  options: { onTapLost?: OnTapLost } = {},
): Promise<"ended" | "broken"> {
  const feeds = taps.map((tap) =>
    new TapFeed(tap, (error) => options.onTapLost?.(tap, error))
  );
  for (const feed of feeds) feed.beginMessage();
  const ended = await pipe(new TappedConn(client, feeds), app);
  for (const feed of feeds) {
    feed.endMessage();
    if (ended === "ended") feed.end();
    else feed.abort();
  }
  await Promise.all(feeds.map((feed) => feed.done));
  return ended;
}

/** Feeds what is read from a flow. */
export class TappedConn extends ConnBehind {
  readonly #feeds: readonly TapFeed[];

  constructor(conn: Conn, feeds: readonly TapFeed[]) {
    super(conn);
    this.#feeds = feeds;
  }

  override async read(into: Uint8Array): Promise<number | null> {
    const count = await this.conn.read(into);
    if (count === null) {
      for (const feed of this.#feeds) feed.endMessage();
    } else {
      for (const feed of this.#feeds) feed.feed(into.subarray(0, count));
    }
    return count;
  }
}

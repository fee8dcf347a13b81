import { type Conn, ConnBehind, pipe } from "../net/mod.ts";
import type { Destination } from "./destination.ts";
import type { OnTapLost } from "./serve_options.ts";
import { TapFeed } from "./tap_feed.ts";

interface TappedOptions {
  readonly onTapLost?: OnTapLost;
}

/**
 * Copies to `taps` what the client sends while it is joined. Tap answers are thrown away. A tap that refuses, ends or is
 * too far behind loses the rest; nobody ever waits for one.
 *
 * @param join Is given the flow that is copied. What becomes of it when that resolves is copied no more; the copies of a
 * flow that is "broken" are broken off.
 * @returns with what `join` resolved to, and when nothing is left of the copies.
 */
export async function tapped<End>(
  client: Conn,
  taps: readonly Destination[],
  join: (client: Conn) => Promise<End>,
  options: TappedOptions = {},
): Promise<{ readonly end: End; readonly done: Promise<void> }> {
  const feeds = taps.map((tap) =>
    new TapFeed(tap, (error) => options.onTapLost?.(tap, error))
  );
  for (const feed of feeds) feed.beginMessage();
  const conn = new TappedConn(client, feeds);
  const end = await join(conn);
  conn.tapNoMore();
  for (const feed of feeds) {
    feed.endMessage();
    if (end === "broken") feed.abort();
    else feed.end();
  }
  const done = Promise.all(feeds.map((feed) => feed.done)).then(() => {});
  return { end, done };
}

/** Joins `client` and `app` like `pipe`, {@link tapped}. */
export async function tappedPipe(
  client: Conn,
  app: Conn,
  taps: readonly Destination[],
  options: TappedOptions = {},
): Promise<"ended" | "broken"> {
  const join = (client: Conn) => pipe(client, app);
  const { end, done } = await tapped(client, taps, join, options);
  await done;
  return end;
}

/** Feeds what is read from a flow. */
export class TappedConn extends ConnBehind {
  #feeds: readonly TapFeed[];

  constructor(conn: Conn, feeds: readonly TapFeed[]) {
    super(conn);
    this.#feeds = feeds;
  }

  /** What is read from here on is fed to nobody. */
  tapNoMore(): void {
    this.#feeds = [];
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

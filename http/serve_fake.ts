import { connPair } from "../net/mod.ts";
import type { FakeClock } from "../net/clock_fake.ts";
import { FakeDestination, Talk } from "./destination_fake.ts";
import type { RequestHead } from "./request_head.ts";
import { serveHttp } from "./serve.ts";
import type { ServeOptions } from "./serve_options.ts";

export interface Served {
  readonly client: Talk;
  readonly app: FakeDestination;
  readonly laptop: FakeDestination;
  /** Heads that were asked about. */
  readonly heads: RequestHead[];
  /** Resolves when the connection is over. */
  readonly over: Promise<void>;
  readonly abort: () => void;
}

/** A connection that is served: requests with the header `to: laptop` go to the laptop, others to the app. */
export function serve(
  options: Partial<ServeOptions> & {
    bufferBytes?: number;
    clock?: FakeClock;
  } = {},
): Served {
  const { bufferBytes } = options;
  const size = bufferBytes === undefined ? {} : { bufferBytes };
  const [client, inner] = connPair(size);
  const app = new FakeDestination(size);
  const laptop = new FakeDestination(size);
  const heads: RequestHead[] = [];
  const aborting = new AbortController();
  const over = serveHttp(inner, {
    route(head) {
      heads.push(head);
      const to = head.headers.find(([name]) => name.toLowerCase() === "to");
      return to?.[1] === "laptop" ? laptop : app;
    },
    otherwise: app,
    signal: aborting.signal,
    ...options,
  });
  return {
    client: new Talk(client),
    app,
    laptop,
    heads,
    over,
    abort: () => aborting.abort(new Error("over")),
  };
}

/**
 * Serves one connection that came for an app:
 *
 * 1. Its first octets tell what the client speaks ({@link sniff}). A client that says nothing has the app opened: if
 *    the app speaks first, the connection is its.
 * 2. What is no HTTP is joined with the app as it is.
 * 3. HTTP/1 and HTTP/2 are routed request by request.
 */
import { type Conn, pipe, systemClock } from "../net/mod.ts";
import { ByteSource } from "./byte_source.ts";
import { serveH1 } from "./h1/connection.ts";
import { serveH2 } from "./h2/proxy.ts";
import { Upstreams } from "./h1/upstreams.ts";
import { listen, openApp } from "./listen.ts";
import { defaultLimits, type ServeOptions } from "./serve_options.ts";
import { Taps } from "./taps.ts";

/** Owns `client`. Resolves when the connection is over; never rejects. */
export async function serveHttp(
  client: Conn,
  options: ServeOptions,
): Promise<void> {
  const clock = options.clock ?? systemClock;
  const limits = { ...defaultLimits, ...options.limits };
  const source = new ByteSource(client);
  const upstreams = new Upstreams();
  const taps = new Taps({ ...options, clock });
  const over = new AbortController();
  const breakOff = () => {
    over.abort(options.signal.reason);
    options.resumed?.app?.reset();
    source.reset();
    upstreams.close();
    taps.abort();
  };
  if (options.signal.aborted) return breakOff();
  options.signal.addEventListener("abort", breakOff);
  const { signal } = over;
  const parts = {
    client: source,
    upstreams,
    taps,
    options,
    signal,
    limits,
    clock,
  };
  try {
    const { resumed } = options;
    const { protocol, app } = resumed === undefined ? await listen(parts) : {
      protocol: "h1",
      app: resumed.app && upstreams.adopt(resumed.app),
    };
    if (protocol === "h1") {
      if (app !== undefined) upstreams.keep(options.otherwise, app);
      await serveH1(parts);
    } else if (protocol === "h2") await serveH2(parts, app);
    else {
      const joined = app ?? await openApp(parts);
      await pipe(source, joined);
      upstreams.release(joined);
    }
  } catch {
    source.reset();
  } finally {
    upstreams.close();
    await taps.end();
    options.signal.removeEventListener("abort", breakOff);
  }
}

import type { Clock } from "../net/mod.ts";
import type { ByteSource } from "./byte_source.ts";
import type { ConnectionParts } from "./connection_parts.ts";
import { type Protocol, sniff } from "./sniff.ts";
import { watchClient } from "./watch_client.ts";

export interface Listened {
  readonly protocol: Exclude<Protocol, "undecided">;
  /** The app's connection if it was opened meanwhile. Anything that it said waits in it. */
  readonly app: ByteSource | undefined;
}

/**
 * Finds out what a client speaks. An idle one stays undecided, with the app's connection open: its end, like the app's
 * first word, is the app's to say.
 *
 * @throws {RefusedError} when the app was to be opened and refused; {ConnResetError} when the client broke off.
 */
export async function listen(parts: ConnectionParts): Promise<Listened> {
  const { client, upstreams, limits, clock } = parts;
  let app: ByteSource | undefined;
  try {
    const { silenceMs, undecidedMs } = limits;
    let spoke = await within(silenceMs, client.fill(), clock);
    if (spoke === "late") {
      app = await openApp(parts);
      const appSpeaks = app.fill().then(() => "app", () => "app");
      const first = client.unreadBytes > 0 ||
        await Promise.race([client.fill(), appSpeaks]);
      if (typeof first === "string") return { protocol: "other", app };
      spoke = first;
    }
    const deadline = clock.now() + undecidedMs;
    for (;;) {
      const protocol = sniff(client.unread);
      if (protocol !== "undecided") return { protocol, app };
      const leftMs = deadline - clock.now();
      if (spoke !== true || leftMs <= 0) return { protocol: "other", app };
      spoke = await within(leftMs, client.fill(), clock);
    }
  } catch (error) {
    if (app !== undefined) upstreams.drop(app);
    throw error;
  }
}

/** The app for what is no HTTP, or may be none. @throws {RefusedError} */
export async function openApp(
  { client, upstreams, options, ...parts }: ConnectionParts,
): Promise<ByteSource> {
  using watch = watchClient(client, parts);
  const signal = watch.gone;
  return (await upstreams.open(options.otherwise, { signal })).source;
}

async function within<Result>(
  ms: number,
  promise: Promise<Result>,
  clock: Clock,
): Promise<Result | "late"> {
  const late = Promise.withResolvers<"late">();
  const cancel = clock.after(ms, () => late.resolve("late"));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    cancel();
  }
}

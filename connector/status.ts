import { version } from "../build.ts";
import { lastTrouble } from "../log.ts";
import type { Status } from "./api.ts";
import type { InterceptInfo } from "./intercepts/api.ts";
import type { LinkStatus } from "./session/link.ts";

/** The state of a connector that holds no connection. */
export function idleStatus(
  status: Status["user_daemon"]["status"],
): Status {
  const trouble = lastTrouble();
  return {
    user_daemon: {
      running: true,
      version,
      executable: Deno.execPath(),
      pid: Deno.pid,
      status,
      ...trouble === undefined ? {} : { last_error: trouble },
      ...interceptStatus([]),
    },
  };
}

/** The intercepts of a connection, each kind in its own list, as scripts for Telepresence know them. */
export function interceptStatus(
  all: readonly InterceptInfo[],
): Pick<
  Status["user_daemon"],
  "intercepts" | "replacements" | "wiretaps" | "ingests" | "proxy_vias"
> {
  const of = (...modes: InterceptInfo["mode"][]) =>
    all.filter(({ mode }) => modes.includes(mode)).map((
      { name, client = "", namespace, disposition },
    ) => ({ name, client, namespace, disposition }));
  return {
    intercepts: of("intercept", "local-only"),
    replacements: of("replace"),
    wiretaps: of("wiretap"),
    ingests: of("ingest"),
    proxy_vias: of("proxy-via"),
  };
}

/** The manager and the way to it. */
export function managerStatus(
  { product, pod, since, trouble, stats, transport, direct, ...former }:
    LinkStatus,
): NonNullable<Status["traffic_manager"]> {
  const { roundTripMs } = stats;
  return {
    name: "traffic-manager",
    pod,
    version: releaseOf(product),
    ...roundTripMs === 0 ? {} : { round_trip_ms: rounded(roundTripMs) },
    ...transport === undefined ? {} : { transport },
    ...direct === undefined ? {} : {
      direct: {
        endpoint: direct.endpoint,
        ...direct.trouble === undefined ? {} : { reason: direct.trouble },
      },
    },
    session: {
      state: trouble === undefined ? "connected" : "waiting",
      since: new Date(since).toISOString(),
      ...trouble === undefined ? {} : { reason: trouble },
      carriers: stats.carriers.map(({ roundTripMs, isShortcut }) => ({
        round_trip_ms: rounded(roundTripMs),
        direct: isShortcut,
      })),
      streams: stats.streams,
      moved_carriers: former.movedCarriers,
      moved_streams: former.movedStreams,
      former_sessions: former.formerSessions,
    },
  };
}

/** Milliseconds to the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The release in what a peer of a session calls itself, e.g. `0.1.0` of `tp/0.1.0`. */
function releaseOf(product: string): string {
  return product.slice(product.indexOf("/") + 1);
}

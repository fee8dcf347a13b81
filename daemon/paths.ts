import type { ResolverPlace } from "../dns/edges/leftover.ts";
import type { ResolvConfPaths } from "../dns/edges/resolv_conf_edge.ts";
import { daemonSocketPath, runDirectory } from "./api.ts";

/** Of socket, journal and sign of life. */
export { runDirectory } from "./api.ts";

const isDarwin = Deno.build.os === "darwin";

/** Survives a restart of the host; root's own (0700). */
export const stateDirectory = isDarwin ? "/var/db/tp" : "/var/lib/tp";

export const journalPath = `${runDirectory}/journal`;
/** The journal that is about to replace the other. */
export const nextJournalPath = `${journalPath}.next`;
export const beatPath = `${runDirectory}/beat`;
export const guardPath = `${stateDirectory}/guard.sh`;
export const logPath = `${stateDirectory}/daemon.log`;
export const logLimits = { maxBytes: 1 << 20, former: 2 } as const;
export const socketPath = daemonSocketPath;

export const resolvConfPaths: ResolvConfPaths = {
  file: "/etc/resolv.conf",
  original: "/etc/resolv.conf.tp-original",
  copy: `${stateDirectory}/resolv.conf.original`,
};

/** Where macOS has files for zones. */
export const resolverDirectory = "/etc/resolver";

/** Where what we tell the host's resolver is to be found later. */
export const resolverPlace: ResolverPlace = isDarwin
  ? { directory: resolverDirectory }
  : resolvConfPaths;

import type { ResolvConfPaths } from "../dns/edges/resolv_conf_edge.ts";
import { daemonSocketPath } from "./api.ts";

/** Lost with the kernel's state at a restart of the host, and readable to everybody: socket, journal, sign of life. */
export const runDirectory = "/run/tp";

/** Survives a restart of the host; root's own (0700). */
export const stateDirectory = "/var/lib/tp";

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

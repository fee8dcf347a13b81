/** Where the connector of one user keeps its socket and its log. */

/** The directory of the socket: the user's own and closed to others. */
export function runtimeDirectory(): string {
  const given = Deno.env.get("XDG_RUNTIME_DIR");
  if (given && isOwn(given)) return `${given}/tp`;
  if (Deno.uid() !== 0) return `${cacheDirectory()}/run`;
  return Deno.build.os === "darwin" ? "/var/run/tp-root" : "/run/tp-root";
}

/** What the process `pid` of `tp run` has for the moment of its start. */
export function runDirectory(pid: number): string {
  return `${runtimeDirectory()}-${pid}`;
}

/** `su` and `sudo` may leave the variable of another user, or of a session that has ended. */
function isOwn(directory: string): boolean {
  try {
    return Deno.statSync(directory).uid === Deno.uid();
  } catch {
    return false;
  }
}

export function connectorSocketPath(): string {
  return `${runtimeDirectory()}/connector.sock`;
}

/** Where the connector's process id is written, for when it does not answer. */
export function connectorPidPath(): string {
  return `${runtimeDirectory()}/connector.pid`;
}

/** Where pods' volumes are mounted or copied to, and noted. */
export function volumesPath(): string {
  return `${runtimeDirectory()}/volumes`;
}

/** Of the connector's log and that of commands, each. */
export const logLimits = { maxBytes: 8 * 1024 * 1024, former: 2 } as const;

export function connectorLogPath(): string {
  return `${cacheDirectory()}/connector.log`;
}

/** Of commands that do the work of a connector themselves. */
export function commandLogPath(): string {
  return `${cacheDirectory()}/command.log`;
}

/** Files that may be lost: logs and what worked last time (XDG base directories). */
export function cacheDirectory(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ??
    `${Deno.env.get("HOME") ?? "/root"}/.cache`;
  return `${base}/tp`;
}

/** Where the connector of one user keeps its socket and its log. */

/** The directory of the socket: the user's own and closed to others. */
export function runtimeDirectory(): string {
  const given = Deno.env.get("XDG_RUNTIME_DIR");
  if (given) return `${given}/tp`;
  return Deno.uid() === 0 ? "/run/tp-root" : `${cacheDirectory()}/run`;
}

export function connectorSocketPath(): string {
  return `${runtimeDirectory()}/connector.sock`;
}

export function connectorLogPath(): string {
  return `${cacheDirectory()}/connector.log`;
}

/** Files that may be lost: logs and what worked last time (XDG base directories). */
export function cacheDirectory(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ??
    `${Deno.env.get("HOME") ?? "/root"}/.cache`;
  return `${base}/tp`;
}

/**
 * Makes a directory that only this user can enter.
 *
 * @throws {Error} when it exists and is somebody else's or open to others.
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = await Deno.lstat(path);
  if (uid !== Deno.uid() || ((mode ?? 0) & 0o077) !== 0) {
    throw new Error(
      `Cannot use directory "${path}": it is not this user's alone`,
    );
  }
}

/** Where the connector listens, made ready: a directory of the user's own, and nothing in the socket's place. */
import { ConnectError } from "../failure.ts";
import {
  connectorPidPath,
  connectorSocketPath,
  runtimeDirectory,
} from "./paths.ts";
import { removeStaleSocket } from "./stale_socket.ts";

export { removeSocketDirectory } from "./stale_socket.ts";

/**
 * @returns the path to listen on
 * @throws {ConnectError} `socket-taken` when something is there that is not ours to remove, or a connector runs.
 */
export async function prepareSocket(): Promise<string> {
  const path = connectorSocketPath();
  if (!await removeStaleSocket()) {
    throw taken(`listen on "${path}": a connector runs already`);
  }
  await makePrivateDirectory(runtimeDirectory());
  if (await exists(path)) {
    throw taken(`listen on "${path}": something else is there`);
  }
  await Deno.writeTextFile(connectorPidPath(), String(Deno.pid));
  return path;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Makes a directory that only this user can enter. */
async function makePrivateDirectory(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw taken(`use "${path}": it is no directory`, error);
  }
  const { uid, mode, isDirectory } = await Deno.lstat(path);
  if (!isDirectory || uid !== Deno.uid() || ((mode ?? 0) & 0o077) !== 0) {
    throw taken(`use directory "${path}": it is not this user's alone`);
  }
}

function taken(what: string, cause?: unknown): ConnectError {
  const failure = { kind: "socket-taken", cause: `Cannot ${what}` } as const;
  return new ConnectError(failure, { cause });
}

import {
  connectorPidPath,
  connectorSocketPath,
  runtimeDirectory,
} from "./paths.ts";

/**
 * Removes what a killed connector left where its socket was. Returns false when a connector answers there, which is then
 * left alone. Only a refusal proves that nobody listens.
 */
export async function removeStaleSocket(): Promise<boolean> {
  const path = connectorSocketPath();
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) return true;
    await Deno.remove(path).catch(() => {});
    await removeSocketDirectory();
    return true;
  }
}

/** Removes what lies beside the socket, and the directory. The socket itself is gone when its listener is. */
export async function removeSocketDirectory(): Promise<void> {
  await Deno.remove(connectorPidPath()).catch(() => {});
  await Deno.remove(runtimeDirectory()).catch(() => {});
}

import { connectorSocketPath, runtimeDirectory } from "./paths.ts";

/**
 * Removes what a killed connector left where its socket was. Returns false when a connector answers there, which is then
 * left alone.
 */
export async function removeStaleSocket(): Promise<boolean> {
  const path = connectorSocketPath();
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch {
    await Deno.remove(path).catch(() => {});
    await Deno.remove(runtimeDirectory()).catch(() => {});
    return true;
  }
}

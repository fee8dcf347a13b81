import { join } from "node:path";
import { volumesPath } from "../process/paths.ts";
import { removeSocketDirectory } from "../process/stale_socket.ts";

/**
 * Takes away the mounts and copies of pods' volumes that a killed connector left. To be called only where none of this
 * user runs.
 *
 * @throws {Error} when one cannot be unmounted
 */
export async function removeStaleVolumes(): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(volumesPath()))
    .catch(() => []);
  if (entries.length === 0) return;
  // Loaded where it is needed only: every command comes by here.
  const { clearNoted } = await import("./volumes_record.ts");
  for (const { name } of entries) {
    if (name.endsWith(".json")) await clearNoted(join(volumesPath(), name));
  }
  await removeSocketDirectory();
}

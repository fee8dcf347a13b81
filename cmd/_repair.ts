import { selfCommand } from "../build.ts";
import { removeStaleSocket, removeStaleVolumes } from "../connector/client.ts";
import { leftover } from "../daemon/client.ts";
import { CommandError } from "./_error.ts";
import { spawnAsRoot } from "./_root.ts";

/**
 * Undoes what killed processes of ours left on this host, if they left something. Cheap when they did not.
 *
 * @throws {CommandError} when it cannot.
 */
export async function repairIfNeeded(
  say: (line: string) => void,
): Promise<void> {
  if (await removeStaleSocket()) await clearVolumes(say);
  if (!await leftover()) return;
  say("Undoing what a killed daemon left on this host");
  const action = "undo what a killed daemon left on this host";
  const { child } = spawnAsRoot(selfCommand(["daemon-repair"]), {
    ...{ action, stdout: "inherit" },
  });
  const { success, code } = await child.status;
  if (success) return;
  throw new CommandError(
    `Cannot ${action}: exit code ${code}`,
    "Run `tp daemon-repair` as root",
  );
}

/** What is left of pods' volumes hinders nothing else. */
async function clearVolumes(say: (line: string) => void): Promise<void> {
  try {
    await removeStaleVolumes();
  } catch (error) {
    say((error as Error).message);
  }
}

import { selfCommand } from "../build.ts";
import { removeStaleSocket, removeStaleVolumes } from "../connector/client.ts";
import { leftover, wakeService } from "../daemon/client.ts";
import { CommandError } from "./_error.ts";
import { spawnAsRoot } from "./_root.ts";

/** How long the service may take to start. */
const serviceMs = 5_000;

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
  // The service undoes it when it starts.
  if (wakeService() && await untilUndone()) return;
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

/** Returns false when it has not been undone in a few seconds. */
async function untilUndone(): Promise<boolean> {
  for (const giveUpAt = performance.now() + serviceMs;;) {
    if (!await leftover()) return true;
    if (performance.now() > giveUpAt) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What is left of pods' volumes hinders nothing else. */
async function clearVolumes(say: (line: string) => void): Promise<void> {
  try {
    await removeStaleVolumes();
  } catch (error) {
    say((error as Error).message);
  }
}

import { controlPlaneNames } from "./control_plane.ts";
import { must } from "./command.ts";
import { removeAllLaptops } from "./laptop_removal.ts";
import { restoreMachineSettings } from "./machine.ts";
import { removeNetnsDirectory } from "./netns.ts";
import { removeHostLink } from "./network.ts";
import { removeNode } from "./node.ts";
import { removeOutside } from "./outside.ts";
import { stateDir } from "./paths.ts";
import { stopProcess } from "./process.ts";
import { maxNodes, nodeSettings } from "./settings.ts";
import { readStatus } from "./status.ts";
import { say, step } from "./step.ts";

/** Takes the bed down, or says that it is; nothing of it is left on the machine but the cache. */
export async function down(): Promise<void> {
  if ((await readStatus()).state === "down") {
    await tearDown();
    say("bed: it is down");
    return;
  }
  await step("taking the bed down", tearDown);
}

/**
 * Undoes whatever there is of a bed, a half-made one included: processes are killed outright, since nothing that they
 * know is kept.
 */
export async function tearDown(): Promise<void> {
  await removeAllLaptops();
  await removeOutside();
  for (const name of controlPlaneNames) await stopProcess(name);
  for (let index = maxNodes; index >= 1; index--) {
    await removeNode(nodeSettings(index));
  }
  await removeHostLink();
  await removeNetnsDirectory();
  await restoreMachineSettings();
  await must(["rm", "-rf", "--one-file-system", stateDir]);
}

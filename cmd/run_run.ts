import type { Context } from "./_context.ts";
import { CommandError } from "./_error.ts";
import { runWithCluster } from "./_run_with_cluster.ts";
import type { RunFlags } from "./run.ts";

export default async function run(
  this: Context,
  flags: RunFlags,
): Promise<void> {
  const { userCommand, process } = this;
  if (userCommand === undefined) {
    throw new CommandError(
      "Cannot run anything: there is no command",
      "Give it behind `--`: `tp run -- COMMAND`; `tp shell` opens a shell",
      { exitCode: 2 },
    );
  }
  await runWithCluster(userCommand, { flags, process });
}

/**
 * Inside of the namespaces of `tp run`: sets their network, runs the command in it, and ends with it.
 */
import { enter, unprivileged } from "../inside/mod.ts";
import { setLogSink } from "../log.ts";
import type { Context } from "./_context.ts";
import { CommandError } from "./_error.ts";
import { runUserCommand } from "./_user_command.ts";

export default async function run(
  this: Context,
  _flags: Record<never, never>,
  directory: string,
): Promise<void> {
  // The terminal is the command's.
  setLogSink(() => {});
  const { userCommand } = this;
  if (userCommand === undefined) throw new CommandError("Cannot run nothing");
  await using inside = await enter(directory);
  if (inside === undefined) {
    this.process.exitCode = 1;
    return;
  }
  void inside.ended.then(() => inside.endProcesses());
  this.process.exitCode = await runUserCommand(unprivileged(userCommand));
}

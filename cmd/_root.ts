import { CommandError } from "./_error.ts";

/**
 * Starts a command as root: directly, or through sudo on this terminal.
 *
 * @param options.action Completes "Cannot …".
 * @throws {CommandError} when sudo is missing.
 */
export function spawnAsRoot(
  command: string[],
  { action, stdout }: { action: string; stdout: "piped" | "inherit" },
): Deno.ChildProcess {
  const isRoot = Deno.uid() === 0;
  const [program = "", ...args] = isRoot ? command : ["sudo", "--", ...command];
  try {
    return new Deno.Command(program, {
      args,
      stdin: "inherit",
      stdout,
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    if (isRoot || !(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(
      `Cannot ${action}: there is no sudo`,
      "Install sudo, or run the command as root",
      { cause: error },
    );
  }
}

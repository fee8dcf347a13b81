import { CommandError } from "./_error.ts";

/**
 * Runs a command of the user with this terminal and resolves to its exit code (128 + signal number when a signal
 * ended it, as shells count). An interrupt goes to the command; this process waits for its end.
 */
export async function runUserCommand(command: string[]): Promise<number> {
  const [program, ...args] = command;
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  try {
    const { code } = await new Deno.Command(program!, {
      args,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    return code;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError(
      `Cannot run "${program}": no such program`,
      "",
      { cause: error },
    );
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
  }
}

import { CommandError } from "./_error.ts";

/**
 * Runs a command of the user with this terminal and resolves to its exit code (128 + signal number when a signal
 * ended it, as shells count). An interrupt reaches the command from the terminal, other signals are passed on to it; this
 * process waits for its end.
 */
export async function runUserCommand(
  command: readonly string[],
): Promise<number> {
  const [program, ...args] = command;
  const child = spawn(program!, args);
  const listeners = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const listener = () => {
      if (signal !== "SIGINT") child.kill(signal);
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  try {
    return (await child.status).code;
  } finally {
    for (const remove of listeners) remove();
  }
}

function spawn(program: string, args: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (cause) {
    const [state, remedy] = cause instanceof Deno.errors.NotFound
      ? ["no such program", "Give its path, or set PATH to where it is"]
      : [(cause as Error).message, ""];
    throw new CommandError(`Cannot run "${program}": ${state}`, remedy, {
      cause,
    });
  }
}

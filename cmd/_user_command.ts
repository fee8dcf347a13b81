import { CommandError } from "./_error.ts";

/** The exit codes of a command that could not be run, as shells have them (POSIX, XCU 2.8.2). */
const notFoundExitCode = 127;
const notRunExitCode = 126;

/**
 * Runs a command of the user with this terminal and resolves to its exit code (128 + signal number when a signal
 * ended it, as shells count). An interrupt reaches the command from the terminal, other signals are passed on to it; this
 * process waits for its end.
 *
 * @param options.env Variables that it has beside, and in the place of, this process' own.
 * @throws {CommandError} when it cannot be run, with the exit code that shells have for that.
 */
export async function runUserCommand(
  command: readonly string[],
  options: { env?: Record<string, string> } = {},
): Promise<number> {
  const [program, ...args] = command;
  const child = spawn(program!, { args, ...options });
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

function spawn(
  program: string,
  options: { args: string[]; env?: Record<string, string> },
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      ...options,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (cause) {
    throw cannotRun(program, cause);
  }
}

function cannotRun(program: string, cause: unknown): CommandError {
  if (cause instanceof Deno.errors.NotFound) {
    return new CommandError(
      `Cannot run "${program}": no such program`,
      "Give its path, or set PATH to where it is",
      { cause, exitCode: notFoundExitCode },
    );
  }
  const state = cause instanceof Deno.errors.PermissionDenied
    ? "it is no program that you may run"
    : (cause as Error).message;
  return new CommandError(
    `Cannot run "${program}": ${state}`,
    "`chmod +x` makes a script one",
    { cause, exitCode: notRunExitCode },
  );
}

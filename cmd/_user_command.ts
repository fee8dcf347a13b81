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
  // Before there is a child, which runs before this process comes back from making it.
  using relay = new SignalRelay();
  const child = relay.to(spawn(program!, { args, ...options }));
  return (await child.status).code;
}

/** What the terminal sends to all of its foreground processes, so that the command has it already. */
const ofTerminal = ["SIGINT", "SIGQUIT"] as const;
const toBePassedOn = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

/**
 * Has this process outlive signals that are meant for a child of it, which get there. To be disposed of when the child has
 * ended.
 */
export class SignalRelay implements Disposable {
  #child: Pick<Deno.ChildProcess, "kill"> | undefined;
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[] = [
    ...ofTerminal.map((signal) => [signal, () => {}] as const),
    ...toBePassedOn.map((signal) =>
      [signal, () => kill(this.#child, signal)] as const
    ),
  ];

  constructor() {
    for (const [signal, listener] of this.#listeners) {
      Deno.addSignalListener(signal, listener);
    }
  }

  /** Passes on to this child; before it, signals are for nobody. */
  to<Child extends Pick<Deno.ChildProcess, "kill">>(child: Child): Child {
    this.#child = child;
    return child;
  }

  /** Sends it a signal; one that has ended needs none. */
  send(signal: Deno.Signal): void {
    kill(this.#child, signal);
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) {
      Deno.removeSignalListener(signal, listener);
    }
  }
}

/** One that has ended meanwhile needs no signal. */
function kill(
  child: Pick<Deno.ChildProcess, "kill"> | undefined,
  signal: Deno.Signal,
): void {
  try {
    child?.kill(signal);
  } catch {
    // It has.
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

/**
 * Looks for a program as the system does.
 *
 * @throws {CommandError} as {@link runUserCommand} when it cannot be run.
 */
export async function mustBeProgram(program: string): Promise<void> {
  const path = Deno.env.get("PATH") ?? "";
  const places = program.includes("/")
    ? [program]
    : path.split(":").map((directory) => `${directory || "."}/${program}`);
  let isThere = false;
  for (const place of places) {
    const stat = await Deno.stat(place).catch(() => undefined);
    if (stat?.isFile && ((stat.mode ?? 0) & 0o111) !== 0) return;
    isThere ||= stat !== undefined;
  }
  throw cannotRun(
    program,
    isThere
      ? new Deno.errors.PermissionDenied("it may not be executed")
      : new Deno.errors.NotFound("it is nowhere"),
  );
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

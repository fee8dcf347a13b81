import { CommandError } from "./_error.ts";
import { withoutRoot } from "./_failure.ts";

/** What makes a user root who may be: the first that is there is used. Each takes a command line behind `--`. */
export const rootTools = ["sudo", "sudo-rs", "doas"] as const;

export type RootTool = typeof rootTools[number];

/** A command that runs as root, or that a tool refused to run. */
export interface RootCommand {
  child: Deno.ChildProcess;
  /** What asks this user's terminal for a password, if one is needed; `undefined` where this process is root. */
  tool: typeof rootTools[number] | undefined;
}

/**
 * Starts a command as root: directly, or through the tool of this host.
 *
 * @param options.action Completes "Cannot …".
 * @throws {CommandError} when there is no such tool.
 */
export function spawnAsRoot(
  command: string[],
  { action, stdout }: { action: string; stdout: "piped" | "inherit" },
): RootCommand {
  if (Deno.uid() === 0) {
    return { child: spawn(command, stdout), tool: undefined };
  }
  for (const tool of rootTools) {
    try {
      return { child: spawn([tool, "--", ...command], stdout), tool };
    } catch (error) {
      if (!isUnusable(error)) throw error;
    }
  }
  throw new CommandError(
    `Cannot ${action}: there is no ${rootTools.slice(0, -1).join(", ")} or ${
      rootTools.at(-1)
    } that this user may run`,
    `Install sudo, or run the command as root; ${withoutRoot}`,
  );
}

/** Whoever refused has told the user why, in words of its own. */
export function refusedError(
  action: string,
  tool: NonNullable<RootCommand["tool"]>,
): CommandError {
  return new CommandError(
    `Cannot ${action}: ${tool} refused`,
    `Ask for ${tool} rights on this machine, or run \`tp\` as root; ${withoutRoot}`,
  );
}

function spawn(
  [program = "", ...args]: string[],
  stdout: "piped" | "inherit",
): Deno.ChildProcess {
  const options = { args, stdin: "inherit", stderr: "inherit" } as const;
  return new Deno.Command(program, { ...options, stdout }).spawn();
}

/** It is not there, or only for others. */
function isUnusable(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.PermissionDenied;
}

import type { CommandContext, StricliProcess } from "@stricli/core";

/** What every command is given: where its words go, and the exit code to leave behind. */
export interface Context extends CommandContext {
  readonly process: StricliProcess;
  /** What stands behind `--`, for commands that run one of the user's; `undefined` without `--`. */
  readonly userCommand: readonly string[] | undefined;
}

/** The context of this process. Output is written at once, in order. */
export function context(userCommand?: readonly string[]): Context {
  return {
    userCommand,
    process: {
      stdout: { write: (text) => writeAllSync(Deno.stdout, text) },
      stderr: { write: (text) => writeAllSync(Deno.stderr, text) },
      env: { STRICLI_NO_COLOR: "1", STRICLI_SKIP_VERSION_CHECK: "1" },
    },
  };
}

function writeAllSync(
  to: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) {
      done += to.writeSync(bytes.subarray(done));
    }
  } catch (error) {
    // The reader of a pipe may have gone (`tp status | head -1`): nobody is left to tell.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

import { printable } from "./_printable.ts";

/** A command could not do its work: one sentence of cause, one of remedy. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** What the user can do about it; empty when there is nothing to say. */
  readonly remedy: string;
  /** What `tp` exits with. */
  readonly exitCode: number;

  constructor(
    cause: string,
    remedy = "",
    { exitCode = 1, ...options }: ErrorOptions & { exitCode?: number } = {},
  ) {
    super(cause, options);
    this.remedy = remedy;
    this.exitCode = exitCode;
  }
}

/** The exit code of a command that ended with `error`. */
export function exitCodeOf(error: unknown): number {
  return error instanceof CommandError ? error.exitCode : 1;
}

/** What the user reads when a command failed. */
export function errorText(error: unknown): string {
  if (error instanceof CommandError) {
    const cause = `tp: ${error.message}`;
    const { remedy } = error;
    return printable(remedy === "" ? cause : `${cause}\n    ${remedy}`);
  }
  const text = error instanceof Error ? error.stack ?? error.message : error;
  return printable(`tp: internal error: ${text}`);
}

/** What a user reads whose command line was not understood. Pure. */
import {
  ArgumentScannerError,
  formatMessageForArgumentScannerError,
} from "@stricli/core";

/** @param command The one whose flags or arguments are wrong. */
export function notUnderstood(error: unknown, command: string): string {
  return `tp: ${causeOf(error)}\n    ${tellsWhat(command)}`;
}

/** The remedy for flags and arguments of a command. */
export function tellsWhat(command: string): string {
  return `\`tp ${command} --help\` tells what it takes`;
}

/**
 * What is wrong and the parser of flags does not see, or takes for something else.
 *
 * @param own What stands before `--`.
 */
export function faultOf(
  { own, userCommand }: {
    own: readonly string[];
    userCommand?: readonly string[] | undefined;
  },
): SyntaxError | undefined {
  if (userCommand?.length === 0) {
    return new SyntaxError("a command is missing behind `--`");
  }
  const empty = own.find((arg) => /^--[\w-]+=$/.test(arg));
  if (empty === undefined) return undefined;
  return new SyntaxError(`nothing stands behind the = of ${empty}`);
}

function causeOf(error: unknown): string {
  if (error instanceof ArgumentScannerError) {
    return formatMessageForArgumentScannerError(error, {
      // What a parser throws is a whole sentence.
      ArgumentParseError: ({ exception, message }) =>
        exception instanceof Error ? exception.message : message,
      FlagNotFoundError: ({ input, corrections }) =>
        `there is no flag --${input}` +
        (corrections.length === 0
          ? ""
          : `; did you mean ${corrections.map(typed).join(" or ")}?`),
      AliasNotFoundError: ({ input }) => `there is no flag -${input}`,
    });
  }
  return error instanceof Error ? error.message : String(error);
}

/** A flag's name as the help shows it. */
function typed(name: string): string {
  return "--" +
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

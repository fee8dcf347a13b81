/** What a user reads whose command line was not understood. Pure. */
import {
  AliasNotFoundError,
  ArgumentParseError,
  EnumValidationError,
  FlagNotFoundError,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";

/** @param command The one whose flags or arguments are wrong. */
export function notUnderstood(error: unknown, command: string): string {
  return `tp: ${causeOf(error)}\n    ${tellsWhat(command)}`;
}

/**
 * What a user reads who asked for a command that there is not.
 *
 * @param group The command that has commands itself, among which it was looked for; `undefined`: among those of `tp`.
 */
export function noSuchCommand(
  { input, corrections, group }: {
    input: string;
    corrections: readonly string[];
    group?: string | undefined;
  },
): string {
  const help = group === undefined ? "tp --help" : `tp ${group} --help`;
  return `tp: there is no command "${input}"${meant(corrections)}\n` +
    `    \`${help}\` lists the commands`;
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

/** By class, not by the name of a class as the library's own formatter: in the executable names are others. */
function causeOf(error: unknown): string {
  if (error instanceof ArgumentParseError) {
    // What a parser throws is a whole sentence.
    const { exception, message } = error;
    return exception instanceof Error ? exception.message : message;
  }
  if (error instanceof EnumValidationError) {
    const { externalFlagName, input, values } = error;
    return `Cannot use "${input}" for --${externalFlagName}: it is none of ` +
      values.join(", ");
  }
  if (error instanceof FlagNotFoundError) {
    return `there is no flag --${error.input}` +
      meant(error.corrections.map(typed));
  }
  if (error instanceof AliasNotFoundError) {
    return `there is no flag -${error.input}`;
  }
  if (error instanceof UnexpectedFlagError) {
    const { externalFlagName, previousInput, input } = error;
    return `--${externalFlagName} is given twice, ` +
      `"${previousInput}" and "${input}"`;
  }
  if (error instanceof UnsatisfiedFlagError) {
    return `nothing stands behind --${error.externalFlagName}`;
  }
  if (error instanceof UnexpectedPositionalError) {
    return `"${error.input}" is one argument too many`;
  }
  if (error instanceof UnsatisfiedPositionalError) {
    return `${error.placeholder.toUpperCase()} is missing`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The question behind a name that is not known. */
function meant(names: readonly string[]): string {
  return names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`;
}

/** A flag's name as the help shows it. */
function typed(name: string): string {
  return "--" +
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

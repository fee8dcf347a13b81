/** Words in, words out, exit codes: the program as its user meets it. */
import { buildApplication, run, text_en } from "@stricli/core";
import { context } from "./_context.ts";
import { errorText, exitCodeOf } from "./_error.ts";
import { faultOf, noSuchCommand, notUnderstood } from "./_understood.ts";
import { routes } from "./routes.ts";

/** The exit code of a command line that could not be understood, as `getopt` programs have it. */
const usageExitCode = 2;

/** How far from a known name one may be that is taken for it: with the default of 7, "foo" would mean "run". */
const typingErrors = {
  threshold: 4,
  weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 0 },
};

/** Commands that take one of the user's behind `--`. */
const takesUserCommand = new Set([
  ...["connect", "intercept", "replace", "wiretap", "ingest"],
  ...["run", "run-inside"],
]);

function application(command: string) {
  const isKnown = routes.getRoutingTargetForInput(command) !== undefined;
  const group = isKnown ? command : undefined;
  return buildApplication(routes, {
    name: "tp",
    determineExitCode: exitCodeOf,
    scanner: {
      caseStyle: "allow-kebab-for-camel",
      distanceOptions: typingErrors,
    },
    documentation: { useAliasInUsageLine: true },
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput: ({ input, corrections }) =>
          noSuchCommand({ input, corrections, group }),
        exceptionWhileParsingArguments: (error) =>
          notUnderstood(error, command),
        exceptionWhileRunningCommand: (error) => errorText(error),
        exceptionWhileLoadingCommandFunction: (error) => errorText(error),
      },
    },
  });
}

/** Runs one command line (without the program's own name) and resolves to the exit code. */
export async function start(args: readonly string[]): Promise<number> {
  const { own, userCommand } = split(asTyped(args));
  const here = context(userCommand);
  const [command = ""] = own;
  const fault = faultOf({ own, userCommand });
  if (fault !== undefined) {
    here.process.stderr.write(notUnderstood(fault, command) + "\n");
    return usageExitCode;
  }
  await run(application(command), own, here);
  const code = Number(here.process.exitCode ?? 0);
  return code < 0 ? usageExitCode : code;
}

/** Other ways in which people ask for help and version. */
function asTyped(args: readonly string[]): readonly string[] {
  const [first, ...rest] = args;
  if (first === "help") return [...rest, "--help"];
  return first === "--version" ? ["version", ...rest] : args;
}

function split(
  args: readonly string[],
): { own: readonly string[]; userCommand?: readonly string[] | undefined } {
  const at = takesUserCommand.has(args[0] ?? "") ? args.indexOf("--") : -1;
  if (at < 0) return { own: args };
  return { own: args.slice(0, at), userCommand: args.slice(at + 1) };
}

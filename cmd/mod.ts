/** Words in, words out, exit codes: the program as its user meets it. */
import { buildApplication, run, text_en } from "@stricli/core";
import { context } from "./_context.ts";
import { errorText } from "./_error.ts";
import { routes } from "./routes.ts";

/** The exit code of a command line that could not be understood, as `getopt` programs have it. */
const usageExitCode = 2;

const app = buildApplication(routes, {
  name: "tp",
  scanner: {
    caseStyle: "allow-kebab-for-camel",
    allowArgumentEscapeSequence: true,
  },
  documentation: { useAliasInUsageLine: true },
  localization: {
    text: {
      ...text_en,
      exceptionWhileRunningCommand: (error) => errorText(error),
      exceptionWhileLoadingCommandFunction: (error) => errorText(error),
    },
  },
});

/** Runs one command line (without the program's own name) and resolves to the exit code. */
export async function start(args: readonly string[]): Promise<number> {
  const here = context();
  await run(app, args, here);
  const code = Number(here.process.exitCode ?? 0);
  return code < 0 ? usageExitCode : code;
}

import type { Command } from "@stricli/core";
import type { Context } from "./_context.ts";

/** A command whose flags are so many that the help that lists commands leaves them to the command's own. */
export function briefly<T extends Command<Context>>(
  command: T,
  usage: string,
): T {
  return {
    ...command,
    formatUsageLine: ({ prefix }) => `${prefix.join(" ")} ${usage}`,
  };
}

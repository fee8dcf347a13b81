import { buildCommand } from "@stricli/core";
import type { Context } from "./_context.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";
import { outputFlag, type OutputFormat } from "./_output.ts";

export interface StatusFlags extends UseFlag {
  readonly output: OutputFormat;
}

/** `tp status` */
export const status = buildCommand<StatusFlags, [], Context>({
  loader: () => import("./status_run.ts"),
  parameters: { flags: { ...useFlag, output: outputFlag } },
  docs: { brief: "Show whether and to what this laptop is connected" },
});

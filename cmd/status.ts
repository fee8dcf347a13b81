import { buildCommand } from "@stricli/core";
import type { Context } from "./_context.ts";
import { outputFlag, type OutputFormat } from "./_output.ts";

export interface StatusFlags {
  readonly output: OutputFormat;
}

/** `tp status` */
export const status = buildCommand<StatusFlags, [], Context>({
  loader: () => import("./status_run.ts"),
  parameters: { flags: { output: outputFlag } },
  docs: { brief: "Show whether and to what this laptop is connected" },
});

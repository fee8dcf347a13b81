import { buildCommand } from "@stricli/core";
import type { Context } from "./_context.ts";
import { outputFlag, type OutputFormat } from "./_output.ts";

export interface VersionFlags {
  readonly output: OutputFormat;
}

/** `tp version` */
export const version = buildCommand<VersionFlags, [], Context>({
  loader: () => import("./version_run.ts"),
  parameters: { flags: { output: outputFlag } },
  docs: { brief: "Show version, kind of build and protocol versions" },
});

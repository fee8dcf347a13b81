import { buildCommand } from "@stricli/core";
import type { Context } from "./_context.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";

export interface LeaveFlags extends UseFlag {
  readonly container?: string;
}

/** `tp leave NAME`, or `tp detach NAME` */
export const leave = buildCommand<LeaveFlags, [string], Context>({
  loader: () => import("./leave_run.ts"),
  parameters: {
    aliases: { c: "container" },
    flags: {
      ...useFlag,
      container: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "name",
        brief: "Which one of a workload's containers",
      },
    },
    positional: {
      kind: "tuple",
      parameters: [{
        parse: String,
        placeholder: "name",
        brief: "Name of the intercept",
      }],
    },
  },
  docs: { brief: "End an intercept, replacement, wiretap or ingest" },
});

import { buildCommand } from "@stricli/core";
import type { Context } from "./_context.ts";
import type { ListFlags } from "./_intercept_text.ts";
import { outputFormats } from "./_output.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";

export interface ListCommandFlags extends ListFlags, UseFlag {
  readonly namespace?: string;
  readonly output: typeof listFormats[number];
}

const listFormats = [...outputFormats, "json-stream"] as const;

function only(brief: string) {
  return {
    ...{ kind: "boolean", default: false, withNegated: false } as const,
    brief,
  };
}

/** `tp list` */
export const list = buildCommand<ListCommandFlags, [], Context>({
  loader: () => import("./list_run.ts"),
  parameters: {
    aliases: {
      ...{ n: "namespace", a: "agents", i: "intercepts" },
      ...{ r: "replacements", g: "ingests", t: "wiretaps" },
    },
    flags: {
      ...useFlag,
      namespace: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "name",
        brief: "Whose workloads (default: the connection's)",
      },
      agents: only("Those that have a traffic-agent"),
      intercepts: only("Those that are intercepted"),
      replacements: only("Those that are replaced"),
      ingests: only("Those that are ingested"),
      wiretaps: only("Those that are wiretapped"),
      output: {
        kind: "enum",
        values: listFormats,
        default: "text",
        brief:
          "How to print the result; json-stream: a line for each change, until it is interrupted",
      },
    },
  },
  docs: { brief: "List workloads that can be intercepted, and who does" },
});

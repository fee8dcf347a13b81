import { buildCommand } from "@stricli/core";
import type { Context } from "./_context.ts";
import { outputFlag, type OutputFormat } from "./_output.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";

export interface DeclaredFlags extends UseFlag {
  readonly file: string;
  readonly dryRun: boolean;
  readonly output: OutputFormat;
}

const flags = {
  ...useFlag,
  file: {
    ...{ kind: "parsed", parse: String, placeholder: "file|-" } as const,
    brief: "What is declared, as YAML or JSON; - is the standard input",
  },
  dryRun: {
    ...{ kind: "boolean", default: false, withNegated: false } as const,
    brief: "Tell what would be done, and do nothing",
  },
  output: outputFlag,
} as const;

/** `tp apply -f FILE` */
export const apply = buildCommand<DeclaredFlags, [], Context>({
  loader: () => import("./apply_run.ts"),
  parameters: { aliases: { f: "file" }, flags },
  docs: {
    brief: "Bring about the connection and intercepts that a file declares",
    fullDescription:
      "What is there already stays; what is other than declared is made anew, and it is told in what it differed. " +
      "Intercepts that the file does not name are left alone. The file's schema is docs/workstation-state.schema.json.",
  },
});

/** `tp delete -f FILE` */
export const deleteDeclared = buildCommand<DeclaredFlags, [], Context>({
  loader: () => import("./delete_run.ts"),
  parameters: { aliases: { f: "file" }, flags },
  docs: {
    brief: "End the intercepts, and the connection, that a file declares",
    fullDescription:
      "In the reverse order of the file; what is not there is no error. It disconnects if the file declares a connection.",
  },
});

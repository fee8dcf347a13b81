import { buildCommand } from "@stricli/core";
import { connectedPlaceFlags } from "./_connected_place.ts";
import type { Context } from "./_context.ts";
import { outputFlag, type OutputFormat } from "./_output.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";

export interface DoctorFlags extends UseFlag {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly managerNamespace?: string;
  readonly output: OutputFormat;
}

/** `tp doctor` */
export const doctor = buildCommand<DoctorFlags, [], Context>({
  loader: () => import("./doctor_run.ts"),
  parameters: {
    flags: {
      ...useFlag,
      ...connectedPlaceFlags,
      output: outputFlag,
    },
  },
  docs: {
    brief: "Check step by step what a connection needs, and tell remedies",
    customUsage: ["[FLAGS]"],
    fullDescription:
      "Checks this laptop, the way to the cluster and, while there is one, the connection. Nothing is changed. Exits with " +
      "1 when a check failed; warnings do not count.",
  },
});

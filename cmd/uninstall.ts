import { buildCommand } from "@stricli/core";
import { clusterFlags } from "./_cluster_flags.ts";
import type { Context } from "./_context.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";

export interface UninstallFlags extends UseFlag {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly managerNamespace?: string;
  readonly allAgents: boolean;
  readonly everything: boolean;
}

/** `tp uninstall [WORKLOAD… | --all-agents | --everything]` */
export const uninstall = buildCommand<UninstallFlags, string[], Context>({
  loader: () => import("./uninstall_run.ts"),
  parameters: {
    aliases: { n: "namespace", a: "allAgents", e: "everything" },
    positional: {
      kind: "array",
      parameter: {
        parse: String,
        brief: "Workloads to take the agent off",
        placeholder: "workload",
      },
    },
    flags: {
      ...useFlag,
      ...clusterFlags,
      namespace: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "name",
        brief:
          "Where the workloads are (default: the connection's, else the context's; with --all-agents: everywhere)",
      },
      allAgents: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Take the agents off all workloads",
      },
      everything: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief:
          "Take agents, manager and all its objects out of the cluster, and end the daemon",
      },
    },
  },
  docs: {
    brief: "Take agents, or all of tp, out of the cluster",
    customUsage: [
      "[FLAGS] WORKLOAD...",
      "[FLAGS] --all-agents",
      "[FLAGS] --everything",
    ],
  },
});

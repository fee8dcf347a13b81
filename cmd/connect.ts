import { buildCommand } from "@stricli/core";
import { clusterFlags } from "./_cluster_flags.ts";
import type { Context } from "./_context.ts";

export interface ConnectFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly managerNamespace: string;
  readonly image?: string;
}

/** `tp connect [-- CMD ARGS…]` */
export const connect = buildCommand<ConnectFlags, [], Context>({
  loader: () => import("./connect_run.ts"),
  parameters: {
    aliases: { n: "namespace" },
    flags: {
      ...clusterFlags,
      namespace: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "name",
        brief: "Where single-label names resolve (default: the context's)",
      },
      image: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "ref",
        brief:
          "Image to install as manager (default: $TP_IMAGE, else this release's)",
      },
    },
  },
  docs: {
    brief: "Connect this laptop to a cluster",
    customUsage: ["[FLAGS]", "[FLAGS] -- COMMAND [ARGUMENTS]"],
    fullDescription:
      "Starts the daemon (as root, through sudo where necessary), installs the traffic-manager if the cluster has none, " +
      "and routes the cluster's services and pods to it: `curl my-service.my-namespace` works from any program.",
  },
});

import { buildCommand } from "@stricli/core";
import {
  type ConnectFlags,
  connectFlags,
  type NameFlag,
  nameFlag,
} from "./_connect_flags.ts";
import type { Context } from "./_context.ts";
import { type SubnetFlags, subnetFlags } from "./_subnet_flags.ts";

/** `tp connect [-- CMD ARGS…]` */
export const connect = buildCommand<
  ConnectFlags & SubnetFlags & NameFlag,
  [],
  Context
>({
  loader: () => import("./connect_run.ts"),
  parameters: {
    aliases: { n: "namespace" },
    flags: { ...connectFlags, ...subnetFlags, ...nameFlag },
  },
  docs: {
    brief: "Connect this laptop to a cluster",
    customUsage: ["[FLAGS]", "[FLAGS] -- COMMAND [ARGUMENTS]"],
    fullDescription:
      "Starts the daemon (as root, through sudo where necessary), installs the traffic-manager if the cluster has none, " +
      "and routes the cluster's services and pods to it: `curl my-service.my-namespace` works from any program.",
  },
});

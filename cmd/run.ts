import { buildCommand } from "@stricli/core";
import { type ConnectFlags, connectFlags } from "./_connect_flags.ts";
import type { Context } from "./_context.ts";
import { type PublishFlag, publishFlag } from "./_publish_flag.ts";

export type RunFlags = ConnectFlags & PublishFlag;

const flags = { ...connectFlags, ...publishFlag };

const how =
  "It has a network of its own, in which names and addresses of the cluster are reached, and all others as before; " +
  "this laptop is not changed, and no root is needed (Linux, with unprivileged user namespaces). " +
  "Where that is not allowed, it gets the environment of `tp proxy`.";

/** `tp run -- CMD ARGS…` */
export const run = buildCommand<RunFlags, [], Context>({
  loader: () => import("./run_run.ts"),
  parameters: { aliases: { n: "namespace" }, flags },
  docs: {
    brief: "Run one command with the cluster in its network",
    customUsage: ["[FLAGS] -- COMMAND [ARGUMENTS]"],
    fullDescription: `Runs a command. ${how}`,
  },
});

/** `tp shell` */
export const shell = buildCommand<RunFlags, [], Context>({
  loader: () => import("./shell_run.ts"),
  parameters: { aliases: { n: "namespace" }, flags },
  docs: {
    brief: "Open a shell with the cluster in its network",
    customUsage: ["[FLAGS]"],
    fullDescription: `Runs your shell ($SHELL). ${how}`,
  },
});

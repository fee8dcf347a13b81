import { buildCommand } from "@stricli/core";
import type { Context } from "./_context.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";

/** `tp quit` */
export const quit = buildCommand<UseFlag, [], Context>({
  loader: () => import("./quit_run.ts"),
  parameters: { flags: { ...useFlag } },
  docs: {
    brief: "Disconnect, stop the daemon, leave the host as it was",
    fullDescription:
      "Ends all connections, or with --use that one alone: the daemon goes on as long as there are others.",
  },
});

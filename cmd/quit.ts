import { buildCommand } from "@stricli/core";

/** `tp quit` */
export const quit = buildCommand({
  loader: () => import("./quit_run.ts"),
  parameters: {},
  docs: {
    brief: "Disconnect, stop the daemon, leave the host as it was",
  },
});

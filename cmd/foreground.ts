/** The processes of `tp`, chosen by subcommand. People do not type these; programs and manifests do. */
import { buildCommand, numberParser } from "@stricli/core";
import type { Context } from "./_context.ts";
import type { DaemonFlags } from "./daemon_run.ts";

export const foregroundRoutes = {
  "daemon-foreground": buildCommand<DaemonFlags, [], Context>({
    loader: () => import("./daemon_run.ts"),
    parameters: {
      flags: {
        uid: {
          kind: "parsed",
          parse: numberParser,
          optional: true,
          brief:
            "The user that may command the daemon (default: whoever opens the socket that systemd hands over)",
        },
        detach: {
          kind: "boolean",
          default: false,
          withNegated: false,
          brief: "Leave the daemon running and return once it listens",
        },
      },
    },
    docs: { brief: "Run the root process that holds device and resolver" },
  }),
  "daemon-repair": buildCommand<Record<never, never>, [], Context>({
    loader: () => import("./repair_run.ts"),
    parameters: {},
    docs: { brief: "Undo what a killed daemon left on this host" },
  }),
  "connector-foreground": buildCommand<Record<never, never>, [], Context>({
    loader: () => import("./connector_run.ts"),
    parameters: {},
    docs: { brief: "Run the user's process that holds the connection" },
  }),
  "run-inside": buildCommand<Record<never, never>, [string], Context>({
    loader: () => import("./run_inside_run.ts"),
    parameters: {
      positional: {
        kind: "tuple",
        parameters: [{ parse: String, brief: "Where it meets `tp run`" }],
      },
    },
    docs: { brief: "Run a command in the namespaces of `tp run`" },
  }),
  manager: buildCommand<Record<never, never>, [], Context>({
    loader: () => import("./manager_run.ts"),
    parameters: {},
    docs: { brief: "Run the traffic-manager (in the cluster)" },
  }),
  bridge: buildCommand<Record<never, never>, [], Context>({
    loader: () => import("./bridge_run.ts"),
    parameters: {},
    docs: { brief: "Join standard input and output to the manager's door" },
  }),
  agent: buildCommand<Record<never, never>, [], Context>({
    loader: () => import("./agent_run.ts"),
    parameters: {},
    docs: { brief: "Run the traffic-agent (in a pod)" },
  }),
  "agent-init": buildCommand<Record<never, never>, [], Context>({
    loader: () => import("./agent_init_run.ts"),
    parameters: {},
    docs: { brief: "Redirect ports to the traffic-agent (in a pod)" },
  }),
  "agent-pause": buildCommand<Record<never, never>, [], Context>({
    loader: () => import("./agent_pause_run.ts"),
    parameters: {},
    docs: { brief: "Stand where a replaced container did (in a pod)" },
  }),
};

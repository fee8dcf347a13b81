import { buildCommand } from "@stricli/core";
import { connectedPlaceFlags } from "./_connected_place.ts";
import type { Context } from "./_context.ts";
import { type UseFlag, useFlag } from "./_use_flag.ts";

const daemonNames = ["all", "root", "user", "none"] as const;

export interface GatherLogsFlags extends UseFlag {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly managerNamespace?: string;
  readonly outputFile?: string;
  readonly daemons: readonly typeof daemonNames[number][];
  readonly trafficAgents: string;
  readonly trafficManager: boolean;
  readonly getPodYaml: boolean;
  readonly anonymize: boolean;
}

/** `tp gather-logs` */
export const gatherLogs = buildCommand<GatherLogsFlags, [], Context>({
  loader: () => import("./gather_logs_run.ts"),
  parameters: {
    aliases: { o: "outputFile", a: "anonymize", y: "getPodYaml" },
    flags: {
      ...useFlag,
      ...connectedPlaceFlags,
      outputFile: {
        kind: "parsed",
        parse: zipPath,
        optional: true,
        placeholder: "file.zip",
        brief: "The file to write (default: ./tp_logs_TIME.zip)",
      },
      daemons: {
        kind: "enum",
        values: daemonNames,
        variadic: ",",
        default: ["all"],
        brief:
          "Which logs of this laptop: the daemon's (root), the connector's and commands' (user)",
      },
      trafficAgents: {
        kind: "parsed",
        parse: String,
        default: "all",
        placeholder: "all|none|text",
        brief: "Which agents' logs: those of pods with this text in their name",
      },
      trafficManager: {
        kind: "boolean",
        default: true,
        brief: "The manager's logs",
      },
      getPodYaml: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "The pods themselves, too, without values that may be secret",
      },
      anonymize: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief:
          "Names of pods, namespaces, workloads, nodes, hosts and users become pod-1, namespace-1 …",
      },
    },
  },
  docs: {
    brief: "Gather the logs of laptop and cluster in a zip file",
    customUsage: ["[FLAGS]"],
    fullDescription:
      "Reads what this user may read; what is missing is told, and stands in `problems.txt` in the file. Tokens, keys, " +
      "passwords and values of environment variables are left out.",
  },
});

function zipPath(text: string): string {
  if (text.endsWith(".zip")) return text;
  throw new SyntaxError(`Cannot write "${text}": its name must end with .zip`);
}

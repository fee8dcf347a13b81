import { buildCommand } from "@stricli/core";
import type { DirectEndpoint, DirectServiceType } from "../manager/client.ts";
import { clusterFlags } from "./_cluster_flags.ts";
import type { Context } from "./_context.ts";

export interface InstallFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly managerNamespace?: string;
  readonly image?: string;
  readonly directEndpoint?: DirectEndpoint;
  readonly directService?: DirectServiceType;
  readonly replicas?: number;
  readonly allowGlobalIntercepts?: boolean;
  readonly excludeEnv?: readonly string[];
  readonly agentPolicy?: readonly string[];
  readonly print: boolean;
}

async function parseReplicas(text: string): Promise<number> {
  // Loaded for who uses it: every command starts with this file.
  const { maxReplicas } = await import("../connector/api.ts");
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= maxReplicas) return count;
  throw new SyntaxError(
    `Cannot run "${text}" copies: not a number from 1 to ${maxReplicas}`,
  );
}

/** @throws {SyntaxError} for what can name no variable. */
export async function parseWithheldNames(text: string): Promise<string> {
  const { WithheldNames } = await import("../manager/client.ts");
  try {
    WithheldNames.parse(text);
  } catch (error) {
    throw new SyntaxError(`--exclude-env: ${(error as Error).message}`);
  }
  return text;
}

/** `tp install` */
export const install = buildCommand<InstallFlags, [], Context>({
  loader: () => import("./install_run.ts"),
  parameters: {
    flags: {
      ...clusterFlags,
      managerNamespace: {
        ...clusterFlags.managerNamespace,
        brief:
          "Where the traffic-manager shall live (default: as configured, else ambassador)",
      },
      image: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "ref",
        brief:
          "Image of the manager (default: $TP_IMAGE, else as configured, else this release's)",
      },
      directEndpoint: {
        kind: "parsed",
        parse: async (text: string) => {
          const { parseDirectEndpoint } = await import("../manager/client.ts");
          return parseDirectEndpoint(text);
        },
        optional: true,
        placeholder: "host:port",
        brief: "Where laptops reach the manager's direct port",
      },
      directService: {
        kind: "enum",
        values: ["LoadBalancer", "NodePort"],
        optional: true,
        brief: "Make a Service that leads from that endpoint to the manager",
      },
      replicas: {
        kind: "parsed",
        parse: parseReplicas,
        optional: true,
        placeholder: "count",
        brief:
          "Copies of the manager to run (default: as many as are installed, else 1)",
      },
      allowGlobalIntercepts: {
        kind: "boolean",
        optional: true,
        brief:
          "Let intercepts take all traffic of a port (default: as installed, else yes)",
      },
      excludeEnv: {
        kind: "parsed",
        parse: parseWithheldNames,
        variadic: ",",
        optional: true,
        placeholder: "name",
        brief:
          "Environment variables of apps that no laptop is given, `*` for any characters (repeatable; default: as installed, '' for none)",
      },
      agentPolicy: {
        kind: "parsed",
        parse: String,
        variadic: ",",
        optional: true,
        placeholder: "namespace",
        brief:
          "Make a NetworkPolicy there that lets agents out to the manager, where egress is denied (repeatable)",
      },
      print: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Print the manifests as YAML and change nothing",
      },
    },
  },
  docs: {
    brief: "Install or upgrade the traffic-manager (for admins)",
    customUsage: ["[FLAGS]"],
  },
});

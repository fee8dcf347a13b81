import { buildCommand } from "@stricli/core";
import type { DirectEndpoint, DirectServiceType } from "../manager/client.ts";
import type { Context } from "./_context.ts";

export interface InstallFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly managerNamespace: string;
  readonly image?: string;
  readonly directEndpoint?: DirectEndpoint;
  readonly directService?: DirectServiceType;
  readonly print: boolean;
}

/** `tp install` */
export const install = buildCommand<InstallFlags, [], Context>({
  loader: () => import("./install_run.ts"),
  parameters: {
    flags: {
      context: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "name",
        brief: "Context of the kubeconfig (default: its current one)",
      },
      kubeconfig: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "file",
        brief: "Kubeconfig (default: $KUBECONFIG, else ~/.kube/config)",
      },
      managerNamespace: {
        kind: "parsed",
        parse: String,
        default: "ambassador",
        placeholder: "name",
        brief: "Where the traffic-manager shall live",
      },
      image: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "ref",
        brief: "Image of the manager (default: $TP_IMAGE, else this release's)",
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
  },
});

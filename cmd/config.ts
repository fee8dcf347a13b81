import { buildCommand, buildRouteMap } from "@stricli/core";
import { briefly } from "./_briefly.ts";
import {
  type ConnectFlags,
  connectFlags,
  type NameFlag,
  nameFlag,
} from "./_connect_flags.ts";
import type { Context } from "./_context.ts";
import { outputFlag, type OutputFormat } from "./_output.ts";
import { type SubnetFlags, subnetFlags } from "./_subnet_flags.ts";

export interface ConfigViewFlags extends ConnectFlags, SubnetFlags, NameFlag {
  readonly output: OutputFormat;
}

/** `tp config view` */
const view = buildCommand<ConfigViewFlags, [], Context>({
  loader: () => import("./config_view_run.ts"),
  parameters: {
    aliases: { n: "namespace" },
    flags: {
      ...{ ...connectFlags, ...subnetFlags, ...nameFlag },
      output: outputFlag,
    },
  },
  docs: {
    brief: "Show the settings that count, and who says so",
    customUsage: ["[FLAGS]"],
    fullDescription:
      "As `tp connect` with the same flags has them. A flag goes before the environment, that before the kubeconfig's " +
      "cluster, that before config.yml, and that before the default. The schema of the file is docs/config.schema.json.",
  },
});

export const config = buildRouteMap({
  routes: { view: briefly(view, "[FLAGS]") },
  docs: { brief: "Show the settings that count, and who says so" },
});

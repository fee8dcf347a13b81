import { buildCommand, buildRouteMap } from "@stricli/core";
import type { Context } from "./_context.ts";
import { outputFlag, type OutputFormat } from "./_output.ts";

export interface DaemonInstallFlags {
  readonly group: string;
}

export interface DaemonStatusFlags {
  readonly output: OutputFormat;
}

/** `tp daemon …` */
export const daemon = buildRouteMap({
  routes: {
    install: buildCommand<DaemonInstallFlags, [], Context>({
      loader: async () => (await import("./daemon_service_run.ts")).install,
      parameters: {
        flags: {
          group: {
            kind: "parsed",
            parse: String,
            default: "tp",
            placeholder: "name",
            brief: "Whose members may connect without sudo",
          },
        },
      },
      docs: { brief: "Set the daemon up as a service of systemd (root)" },
    }),
    uninstall: buildCommand<Record<never, never>, [], Context>({
      loader: async () => (await import("./daemon_service_run.ts")).uninstall,
      parameters: {},
      docs: { brief: "Take the service away again (root)" },
    }),
    status: buildCommand<DaemonStatusFlags, [], Context>({
      loader: async () => (await import("./daemon_service_run.ts")).status,
      parameters: { flags: { output: outputFlag } },
      docs: { brief: "Show whether there is a service, and for whom" },
    }),
  },
  docs: { brief: "The daemon as a service, so that nobody needs sudo" },
});

import { buildCommand } from "@stricli/core";
import { type ConnectFlags, connectFlags } from "./_connect_flags.ts";
import type { Context } from "./_context.ts";
import { type EnvSyntax, envSyntaxes } from "./_env_syntax.ts";

export interface ProxyFlags extends ConnectFlags {
  readonly envSyntax: EnvSyntax;
}

/** `tp proxy` */
export const proxy = buildCommand<ProxyFlags, [], Context>({
  loader: () => import("./proxy_run.ts"),
  parameters: {
    aliases: { n: "namespace" },
    flags: {
      ...connectFlags,
      envSyntax: {
        kind: "enum",
        values: envSyntaxes,
        default: "sh:export",
        brief: "How to print the environment that leads programs to it",
      },
    },
  },
  docs: {
    brief: "Run a SOCKS5 and HTTP proxy that leads into the cluster",
    customUsage: ["[FLAGS]"],
    fullDescription:
      "Listens at a port of the loopback address, with a password made for this run, until it is interrupted. " +
      "It prints the environment that programs learn of it from. This laptop is not changed, and no root is needed.",
  },
});

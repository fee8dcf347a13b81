import type { Context } from "./_context.ts";
import type { ConnectFlags } from "./_connect_flags.ts";
import { runWithCluster } from "./_run_with_cluster.ts";

export default async function run(
  this: Context,
  flags: ConnectFlags,
): Promise<void> {
  const shell = Deno.env.get("SHELL") || "/bin/sh";
  await runWithCluster([shell], { flags, process: this.process });
}

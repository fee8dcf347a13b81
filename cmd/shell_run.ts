import type { Context } from "./_context.ts";
import { runWithCluster } from "./_run_with_cluster.ts";
import type { RunFlags } from "./run.ts";

export default async function run(
  this: Context,
  flags: RunFlags,
): Promise<void> {
  const shell = Deno.env.get("SHELL") || "/bin/sh";
  await runWithCluster([shell], { flags, process: this.process });
}

/** The traffic-agent: a sidecar that hands a workload's traffic to the app or to a laptop. */
import type { AgentConfig } from "../manager/api.ts";
import { redirect } from "./redirect.ts";

export { runAgent } from "./run.ts";
export { readConfig, readSettings } from "./settings.ts";

/**
 * Prepares the pod's network for its agent; what an init container runs.
 *
 * @throws {Error} when the network can not be changed.
 */
export async function prepareAgent(
  { ports }: Pick<AgentConfig, "ports">,
): Promise<void> {
  await redirect(ports);
}

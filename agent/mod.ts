/** The traffic-agent: a sidecar that hands a workload's traffic to the app or to a laptop. */
import { redirect } from "./redirect.ts";
import { readConfig } from "./settings.ts";

export { runAgent } from "./run.ts";

/**
 * Prepares the pod's network for its agent; what an init container runs.
 *
 * @throws {TypeError} or {SyntaxError} when the environment does not tell what it must.
 * @throws {Error} when the network can not be changed.
 */
export async function prepareAgent(env: Record<string, string>): Promise<void> {
  await redirect(readConfig(env).ports);
}

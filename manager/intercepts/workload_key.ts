import { agentObjectName } from "../agent_object.ts";
import type { WorkloadRef } from "../intercept.ts";

/** Names a workload among all of the cluster, as its Agent object is named. */
export function workloadKey(
  namespace: string,
  ref: Pick<WorkloadRef, "kind" | "name">,
): string {
  return `${namespace}/${agentObjectName(ref)}`;
}

import { isPodReady, type Pod, podPhase, podTrouble } from "../../k8s/mod.ts";
import { agentContainerName, revisionAnnotation } from "../agent_object.ts";
import type { WorkloadRef } from "../intercept.ts";
import { workloadNamedBy } from "./workload_kind.ts";

/** What is kept of a pod of an intercepted workload. */
export interface PodFacts {
  readonly name: string;
  readonly uid: string;
  /** RFC 3339, by the API server's clock. */
  readonly createdAt: string;
  /** Its first address; `undefined` before the kubelet says it, which may be after the agent has come. */
  readonly ip?: string;
  /** Being deleted, or ended. */
  readonly isLeaving: boolean;
  readonly isReady: boolean;
  readonly hasAgent: boolean;
  /** Which agent it has, or was to have. */
  readonly revision?: string;
  /** Why it does not get ready, where waiting does not mend it. */
  readonly trouble?: string;
  /** What it waits for. */
  readonly phase: string;
}

/** Nothing for a pod that the workload's selector finds, yet is another's. */
export function podFactsOf(
  pod: Pod,
  { kind, name }: Pick<WorkloadRef, "kind" | "name">,
): PodFacts[] {
  const owner = workloadNamedBy(pod);
  if (owner?.kind !== kind || owner.name !== name) return [];
  const { metadata, status } = pod;
  const isOver = status?.phase === "Succeeded" || status?.phase === "Failed";
  const revision = metadata.annotations?.[revisionAnnotation];
  const isReady = isPodReady(pod);
  const state = { pod, events: [] };
  const trouble = isReady ? undefined : podTrouble(state);
  return [{
    name: metadata.name!,
    uid: metadata.uid!,
    createdAt: metadata.creationTimestamp!,
    ...status?.podIP ? { ip: status.podIP } : {},
    isLeaving: metadata.deletionTimestamp !== undefined || isOver,
    isReady,
    hasAgent: hasAgent(pod),
    ...revision === undefined ? {} : { revision },
    ...trouble === undefined ? {} : { trouble },
    phase: isReady ? "it is ready" : podPhase(state),
  }];
}

/** A sidecar is a container, or an init container that goes on. */
function hasAgent({ spec }: Pod): boolean {
  const { containers = [], initContainers = [] } = spec ?? {};
  return [...containers, ...initContainers].some(({ name }) =>
    name === agentContainerName
  );
}

/** What is to be done next so that a workload's pods have the agent that they shall have, or none. Pure. */
import { revisionAnnotation } from "../agent_object.ts";
import type { WorkloadRef } from "../intercept.ts";
import type { PodFacts } from "./pod_facts.ts";
import { formerRestart, type RestartChanges, undoRestart } from "./restart.ts";
import type { AppWorkload, RollWay } from "./workload_kind.ts";

export interface RolloutState {
  kind: WorkloadRef["kind"];
  workload: AppWorkload;
  way: RollWay;
  pods: readonly PodFacts[];
  /** The agent's; `undefined`: the pods shall have none. */
  revision: string | undefined;
  /** Pods that were there before it was that revision: they are to be replaced. None that came later is. */
  former: ReadonlySet<string>;
}

export type RolloutStep =
  /** All pods are as they shall be; they need not be ready. */
  | { readonly kind: "done" }
  /** The template's annotation is to be set, or removed. */
  | { readonly kind: "annotate"; readonly revision: string | null }
  /** A Rollout's pods are to be restarted. */
  | { readonly kind: "restart"; readonly former: string }
  /** What asked for that is to be what it was. */
  | { readonly kind: "unrestart"; readonly changes: RestartChanges }
  | { readonly kind: "evict"; readonly pod: PodFacts }
  /** The cluster is at work. */
  | { readonly kind: "wait" }
  /** A pod came without the agent that it was to be given. */
  | { readonly kind: "missed"; readonly pod: PodFacts };

export function rolloutStep(state: RolloutState): RolloutStep {
  const { workload, way, revision, former } = state;
  const pods = state.pods.filter(({ isLeaving }) => !isLeaving);
  const wrong = pods.filter((pod) => !isAsWanted(pod, revision));
  const annotated = workload.spec?.template?.metadata?.annotations
    ?.[revisionAnnotation];
  // The object becomes what it was, whatever its pods are.
  if (revision === undefined && annotated !== undefined) {
    return { kind: "annotate", revision: null };
  }
  if (wrong.length === 0) {
    const changes = revision === undefined ? undoRestart(workload) : undefined;
    return changes ? { kind: "unrestart", changes } : { kind: "done" };
  }
  // Where none is wanted, who came later had it of a webhook that did not know yet.
  const later = revision === undefined
    ? undefined
    : wrong.find((pod) => !former.has(pod.uid));
  switch (way) {
    case "template": {
      // The controller waits for a pod that never gets ready before it replaces any.
      const stuck = state.kind === "StatefulSet" && annotated === revision
        ? wrong.find((pod) => !pod.isReady && pod.revision !== revision)
        : undefined;
      if (stuck) return { kind: "evict", pod: stuck };
      if (revision === undefined) {
        // Pods of a template that never said so, injected since the object was there.
        return isRolledOut(workload)
          ? { kind: "evict", pod: wrong[0]! }
          : { kind: "wait" };
      }
      if (annotated !== revision) return { kind: "annotate", revision };
      const without = wrong.find((pod) => pod.revision === revision);
      return without ? missed(without) : { kind: "wait" };
    }
    case "restart": {
      if (later) return missed(later);
      const { restartAt = "" } = workload.spec ?? {};
      const isAsked = wrong.every(({ createdAt }) => createdAt < restartAt);
      return isAsked
        ? { kind: "wait" }
        : { kind: "restart", former: formerRestart(workload) };
    }
    case "evict": {
      if (later) return missed(later);
      // One after the other: the next when all others serve.
      const isBusy = pods.length < state.pods.length ||
        pods.some((pod) => !pod.isReady && !wrong.includes(pod)) ||
        pods.length < (workload.spec?.replicas ?? 0);
      if (isBusy) return { kind: "wait" };
      const [next] = wrong.toSorted((a, b) =>
        Number(a.isReady) - Number(b.isReady) || (a.name < b.name ? -1 : 1)
      );
      return { kind: "evict", pod: next! };
    }
  }
}

/** True when the workload's controller has nothing to replace. */
function isRolledOut({ metadata, spec, status = {} }: AppWorkload): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = status;
  if (observedGeneration < (metadata.generation ?? 0)) return false;
  const daemons = status as {
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
  };
  if (daemons.desiredNumberScheduled !== undefined) {
    const { desiredNumberScheduled, updatedNumberScheduled = 0 } = daemons;
    return updatedNumberScheduled >= desiredNumberScheduled;
  }
  return updatedReplicas >= (spec?.replicas ?? 1) &&
    replicas <= updatedReplicas;
}

export function isAsWanted(
  { hasAgent, revision: has }: PodFacts,
  revision: string | undefined,
): boolean {
  return revision === undefined ? !hasAgent : hasAgent && has === revision;
}

function missed(pod: PodFacts): RolloutStep {
  return { kind: "missed", pod };
}

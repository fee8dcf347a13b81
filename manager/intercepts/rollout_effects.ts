/** Does what {@link rolloutStep} decided, and takes an agent off a workload from the first step to the last. */
import { ApiError, isApiError, type Pod, resources } from "../../k8s/mod.ts";
import { type Clock, pause, systemClock } from "../../net/mod.ts";
import { revisionAnnotation } from "../agent_object.ts";
import type { WorkloadRef } from "../intercept.ts";
import type { ClusterApi } from "./cluster_api.ts";
import { podsText } from "./phase.ts";
import { podFactsOf } from "./pod_facts.ts";
import { askRestart } from "./restart.ts";
import { type RolloutStep, rolloutStep } from "./rollout_step.ts";
import { formatSelector, rollWay, workloadResource } from "./workload_kind.ts";

const pollMs = 500;
const noPods: ReadonlySet<string> = new Set();

export interface WorkloadPlace {
  readonly namespace: string;
  readonly workload: WorkloadRef;
}

/** Resolves to what holds it, for people; `undefined` when it is done. */
export async function takeStep(
  api: Pick<ClusterApi, "patch" | "evict">,
  { namespace, workload, step }: WorkloadPlace & { step: RolloutStep },
): Promise<string | undefined> {
  const resource = workloadResource(workload)!;
  const ref = { namespace, name: workload.name };
  switch (step.kind) {
    case "annotate": {
      const annotations = { [revisionAnnotation]: step.revision };
      const changes = { spec: { template: { metadata: { annotations } } } };
      await api.patch(resource, { ...ref, changes });
      return undefined;
    }
    case "restart": {
      const changes = askRestart(step.former, new Date());
      await api.patch(resource, { ...ref, changes });
      return undefined;
    }
    case "unrestart":
      await api.patch(resource, { ...ref, changes: step.changes });
      return undefined;
    case "evict": {
      const { name, uid } = step.pod;
      try {
        await api.evict({ namespace, name, uid });
        return undefined;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 429) throw error;
        return `pod "${name}" may not go yet: ${error.detail}`;
      }
    }
    default:
      return undefined;
  }
}

export interface RemoveAgentOptions extends WorkloadPlace {
  signal: AbortSignal;
  /** Told what is waited for, when that changes. */
  tell?: (text: string) => void;
  /** What the caller may not do is waited for, since the manager does it too; otherwise that rejects. */
  leavesToManager?: boolean;
  clock?: Clock;
}

const leftToManager = "the manager replaces its pods, as this user may not";

/**
 * Replaces the pods of a workload that have an agent by pods that have none, as the workload's own strategy says, and
 * makes its template what it was. Resolves when none has it, or the workload is gone. The Agent object, or the webhook,
 * must be gone before: else new pods have an agent again.
 *
 * @throws {ApiError} when the API server says no; the signal's reason when it aborts.
 */
export async function removeAgent(
  api: Pick<ClusterApi, "find" | "list" | "patch" | "evict">,
  options: RemoveAgentOptions,
): Promise<void> {
  const { namespace, workload: ref, signal, tell, leavesToManager = false } =
    options;
  const { clock = systemClock } = options;
  const resource = workloadResource(ref);
  if (resource === undefined) return;
  let told = "";
  for (;;) {
    signal.throwIfAborted();
    const workload = await api.find(resource, { namespace, name: ref.name }, {
      signal,
    });
    if (workload === undefined) return;
    const found: Pod[] = await api.list(resources.pods, {
      ...{ namespace, labelSelector: formatSelector(workload), signal },
    });
    const pods = found.flatMap((pod) => podFactsOf(pod, ref));
    const way = rollWay(ref, workload);
    const step = rolloutStep({
      ...{ kind: ref.kind, workload, way, pods },
      ...{ revision: undefined, former: noPods },
    });
    const left = pods.filter(({ hasAgent }) => hasAgent).length;
    if (step.kind === "done" && left === 0) return;
    const held = await takeStep(api, { namespace, workload: ref, step }).catch(
      (error) => {
        if (leavesToManager && isApiError(error, "Forbidden")) {
          return leftToManager;
        }
        throw error;
      },
    );
    const text = held ??
      `${podsText(left)} ${left === 1 ? "has" : "have"} an agent`;
    if (text !== told) tell?.(told = text);
    await pause(pollMs, { signal, clock });
  }
}

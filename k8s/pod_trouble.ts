/** What the cluster says about a pod that is not ready. Pure. */
import type { ContainerStatus, Event, Pod } from "./object.ts";

/** States of a container that waiting does not mend. `ErrImagePull` may be tried again, yet its reason is the user's to know. */
const fatalWaits = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "CrashLoopBackOff",
]);

/**
 * Events that tell why a pod does not come, and how often they come before they do: that no node takes it a condition of
 * the pod tells. The quota, Pod Security and webhooks
 * say it once; a sandbox or a volume often fails at first, as in a namespace that was just made.
 */
const fatalEvents: ReadonlyMap<string, number> = new Map([
  ["FailedCreate", 1],
  ["FailedCreatePodSandBox", 3],
  ["FailedMount", 3],
]);

export interface PodState {
  /** Absent while its workload has made none. */
  pod?: Pod | undefined;
  /** Of the pod, or of its workload while there is no pod; oldest first. */
  events: Event[];
}

/** True when it is there to stay and can be reached. */
export function isPodReady(pod: Pod | undefined): boolean {
  return pod?.metadata.deletionTimestamp === undefined &&
    pod?.status?.conditions?.some(({ type, status }) =>
        type === "Ready" && status === "True"
      ) === true;
}

/** Why the pod does not get ready, in the cluster's own words; `undefined` while it may yet. */
export function podTrouble(
  { pod, events }: PodState,
): string | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ??
    {};
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const { reason, message } = container.state?.waiting ?? {};
    if (!reason || !fatalWaits.has(reason)) continue;
    return sentence(reason, exitOf(container) ?? message);
  }
  const scheduled = pod?.status?.conditions?.find(({ type }) =>
    type === "PodScheduled"
  );
  if (scheduled?.status === "False") {
    return sentence(scheduled.reason ?? "Unschedulable", scheduled.message);
  }
  if (pod?.status?.phase === "Running") return undefined;
  const event = events.findLast(({ reason = "", count = 1 }) =>
    count >= (fatalEvents.get(reason) ?? Infinity)
  );
  return event && sentence(event.reason!, event.message);
}

/** The last warning of the cluster, for a pod that does not get ready and has no trouble that is known as such. */
export function lastWarning({ events }: PodState): string | undefined {
  const event = events.findLast(({ type }) => type === "Warning");
  return event && sentence(event.reason ?? "Warning", event.message);
}

/** What the pod is waiting for, as words for people. */
export function podPhase({ pod, events }: PodState): string {
  if (pod === undefined) return "its pod is being made";
  const isScheduled = pod.status?.conditions?.some(({ type, status }) =>
    type === "PodScheduled" && status === "True"
  );
  if (!isScheduled) return "its pod waits for a node";
  if (pod.status?.phase === "Running") return "it is getting ready";
  const last = events.findLast(({ type }) => type === "Normal");
  return last?.reason === "Pulling"
    ? "its image is being pulled"
    : "its container is being started";
}

/** How the container ended, where that tells more than that it is not started again yet. */
function exitOf(
  { state, lastState }: ContainerStatus,
): string | undefined {
  if (state?.waiting?.reason !== "CrashLoopBackOff") return undefined;
  const { exitCode, reason } = lastState?.terminated ?? {};
  if (exitCode === undefined) return undefined;
  return `the container ends with exit code ${exitCode}` +
    (reason && reason !== "Error" ? ` (${reason})` : "");
}

function sentence(reason: string, message: string | undefined): string {
  const told = message?.trim().replace(/\.$/, "");
  return told ? `${reason}: ${told}` : reason;
}

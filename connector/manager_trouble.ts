import type { Event, Pod } from "../k8s/mod.ts";

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

/** Events that tell why a pod does not come: the quota, Pod Security, a webhook; a sandbox or volume that fails. */
const fatalEvents = new Set([
  "FailedCreate",
  "FailedCreatePodSandBox",
  "FailedMount",
  "FailedScheduling",
]);

export interface ManagerState {
  /** Absent while the StatefulSet has made none. */
  pod?: Pod | undefined;
  /** Of the pod and of its StatefulSet, as the API server keeps them. */
  events: Event[];
}

/** True when the manager can be reached. */
export function isReady(pod: Pod | undefined): boolean {
  return pod?.metadata.deletionTimestamp === undefined &&
    pod?.status?.conditions?.some(({ type, status }) =>
        type === "Ready" && status === "True"
      ) === true;
}

/**
 * Why the manager's pod does not get ready, in the cluster's own words; `undefined` while it may yet.
 *
 * @param since Older events tell of an earlier pod.
 */
export function managerTrouble(
  { pod, events }: ManagerState,
  { since }: { since: Date },
): string | undefined {
  for (const { state } of pod?.status?.containerStatuses ?? []) {
    const { reason, message } = state?.waiting ?? {};
    if (reason && fatalWaits.has(reason)) return sentence(reason, message);
  }
  const scheduled = pod?.status?.conditions?.find(({ type }) =>
    type === "PodScheduled"
  );
  if (scheduled?.status === "False") {
    return sentence(scheduled.reason ?? "Unschedulable", scheduled.message);
  }
  if (pod?.status?.phase === "Running") return undefined;
  const event = events.find((one) =>
    fatalEvents.has(one.reason ?? "") && timeOf(one) >= since.getTime()
  );
  return event && sentence(event.reason!, event.message);
}

function timeOf({ lastTimestamp, eventTime, metadata }: Event): number {
  const text = lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  return text ? Date.parse(text) : 0;
}

function sentence(reason: string, message: string | undefined): string {
  return message ? `${reason}: ${message.trim()}` : reason;
}

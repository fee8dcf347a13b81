/**
 * How a Rollout's pods are replaced: by `spec.restartAt`, which leaves the template as it is. What is in its place is noted
 * in an annotation and put back when no pod has an agent any more. Pure.
 */
import { restartAnnotation } from "../agent_object.ts";
import type { AppWorkload } from "./workload_kind.ts";

/** Merge patches: `null` removes. */
export interface RestartChanges {
  metadata: { annotations: { [restartAnnotation]: string | null } };
  spec?: { restartAt: string | null };
}

/** What has all pods replaced that are older than `now`; `former` is of {@link formerRestart}. */
export function askRestart(former: string, now: Date): RestartChanges {
  // Seconds, as Kubernetes has them.
  const restartAt = now.toISOString().replace(/\.\d+/, "");
  const note = `${restartAt} ${former}`.trimEnd();
  return {
    metadata: { annotations: { [restartAnnotation]: note } },
    spec: { restartAt },
  };
}

/** The `restartAt` that is not of {@link askRestart}; empty when there was none. */
export function formerRestart(workload: AppWorkload): string {
  return isOurs(workload)
    ? noteOf(workload).former
    : workload.spec?.restartAt ?? "";
}

/** What makes the Rollout what it was; `undefined` when it is. A restart that somebody else asked for since stays. */
export function undoRestart(workload: AppWorkload): RestartChanges | undefined {
  if (!workload.metadata.annotations?.[restartAnnotation]) return undefined;
  const metadata = { annotations: { [restartAnnotation]: null } };
  if (!isOurs(workload)) return { metadata };
  return { metadata, spec: { restartAt: formerRestart(workload) || null } };
}

function isOurs(workload: AppWorkload): boolean {
  const { restartAt } = workload.spec ?? {};
  return restartAt !== undefined && noteOf(workload).restartAt === restartAt;
}

function noteOf({ metadata: { annotations } }: AppWorkload) {
  const [restartAt, former = ""] = (annotations?.[restartAnnotation] ?? "")
    .split(" ");
  return { restartAt, former };
}

/** The kinds of workloads that can have agents, and how their pods are replaced. */
import {
  apiVersionOf,
  type KubernetesObject,
  type Pod,
  type Resource,
  resources,
  type Workload,
} from "../../k8s/mod.ts";
import type { WorkloadRef } from "../intercept.ts";

/** Fields of which each kind has some. */
export interface AppWorkload extends Workload {
  spec?: Workload["spec"] & {
    selector?: {
      matchExpressions?: {
        key: string;
        operator: string;
        values?: string[];
      }[];
    };
    /** Deployment and Rollout: changes of the template wait. */
    paused?: boolean;
    /** StatefulSet and DaemonSet. */
    updateStrategy?: {
      type?: string;
      rollingUpdate?: { partition?: number };
    };
    /** Rollout: pods that are older are replaced. */
    restartAt?: string;
    /** Rollout: another workload has the template. */
    workloadRef?: { kind?: string; name?: string };
  };
}

/** By group and kind. */
const kinds: ReadonlyMap<string, Resource<AppWorkload>> = new Map([
  ["apps Deployment", resources.deployments],
  ["apps StatefulSet", resources.statefulSets],
  ["apps DaemonSet", resources.daemonSets],
  ["apps ReplicaSet", resources.replicaSets],
  ["argoproj.io Rollout", resources.rollouts],
]);

/** With the `apiVersion` of its kind; `undefined` for a kind whose pods get no agent. */
export function workloadRefOf(
  { kind, name }: Pick<WorkloadRef, "kind" | "name">,
): WorkloadRef | undefined {
  const resource = [...kinds.values()].find((one) => one.kind === kind);
  return resource && { apiVersion: apiVersionOf(resource), kind, name };
}

/** `undefined` for a kind whose pods get no agent. */
export function workloadResource(
  { apiVersion, kind }: Pick<WorkloadRef, "apiVersion" | "kind">,
): Resource<AppWorkload> | undefined {
  return kinds.get(`${apiVersion.split("/")[0]} ${kind}`);
}

/** Names a workload for people: `Deployment "web"`. */
export function formatWorkload(
  { kind, name }: Pick<WorkloadRef, "kind" | "name">,
): string {
  return `${kind} "${name}"`;
}

/** Why the workload's pods can have no agent; `undefined` when they can. */
export function whyUnsupported(
  ref: WorkloadRef,
  workload: AppWorkload,
): string | undefined {
  const who = formatWorkload(ref);
  if (workloadResource(ref) === undefined) {
    return `${who} is of a kind whose pods cannot be intercepted`;
  }
  const owner = controllerOf(workload);
  if (owner !== undefined) {
    return `${who} belongs to ${formatWorkload(owner)}, which is to be ` +
      "intercepted in its place";
  }
  const { kind, name } = workload.spec?.workloadRef ?? {};
  if (kind !== undefined && name !== undefined) {
    return `${who} has its template in ${formatWorkload({ kind, name })} ` +
      "(workloadRef), and can be intercepted only with one of its own";
  }
  const pod = workload.spec?.template?.spec;
  if (pod === undefined) return `${who} has no template of its pods`;
  if (pod.hostNetwork) {
    return `the pods of ${who} are on their nodes' own network (hostNetwork)`;
  }
  if (workload.spec?.paused) return `${who} is paused`;
  return undefined;
}

/** How many pods the workload shall have. */
export function wantedOf({ spec, status }: AppWorkload): number {
  const { desiredNumberScheduled } = (status ?? {}) as {
    desiredNumberScheduled?: number;
  };
  return desiredNumberScheduled ?? spec?.replicas ?? 1;
}

/** Why nothing of the workload can be intercepted as long as it is so; `undefined` when it shall have pods. */
export function whyNoPods(
  ref: WorkloadRef,
  workload: AppWorkload,
): string | undefined {
  return wantedOf(workload) === 0
    ? `${formatWorkload(ref)} has no pods`
    : undefined;
}

/** How a workload's pods are replaced. */
export type RollWay =
  /** A change of the pods' template is a rollout. */
  | "template"
  /** `spec.restartAt`. */
  | "restart"
  /** Pods are evicted, one after the other. */
  | "evict";

export function rollWay(
  { kind }: Pick<WorkloadRef, "kind">,
  { spec = {} }: AppWorkload,
): RollWay {
  if (kind === "Rollout") return "restart";
  const { type, rollingUpdate: { partition = 0 } = {} } = spec.updateStrategy ??
    {};
  const keepsPods = type === "OnDelete" || partition > 0;
  return kind === "ReplicaSet" || keepsPods ? "evict" : "template";
}

export function controllerOf({ metadata }: KubernetesObject) {
  return metadata.ownerReferences?.find(({ controller }) => controller);
}

/** Labels by which ReplicaSets are named after their Deployment or Rollout. */
const hashLabels: ReadonlyMap<string, WorkloadRef["kind"]> = new Map([
  ["pod-template-hash", "Deployment"],
  ["rollouts-pod-template-hash", "Rollout"],
]);

/**
 * The workload that a pod belongs to, as its labels and its controller's name tell it. Who makes pods can write what he
 * likes there: it is no proof.
 */
export function workloadNamedBy(
  pod: Pod,
): Pick<WorkloadRef, "kind" | "name"> | undefined {
  const owner = controllerOf(pod);
  if (owner?.kind !== "ReplicaSet") return owner;
  for (const [label, kind] of hashLabels) {
    const hash = pod.metadata.labels?.[label];
    if (hash === undefined || !owner.name.endsWith(`-${hash}`)) continue;
    return { kind, name: owner.name.slice(0, -hash.length - 1) };
  }
  return owner;
}

/** The selector of the workload's pods, as in `kubectl -l`. */
export function formatSelector({ spec }: AppWorkload): string {
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => {
      switch (operator) {
        case "In":
          return `${key} in (${values.join(",")})`;
        case "NotIn":
          return `${key} notin (${values.join(",")})`;
        case "DoesNotExist":
          return `!${key}`;
        default:
          return key;
      }
    }),
  ].join(",");
}

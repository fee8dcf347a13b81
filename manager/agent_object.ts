/**
 * The objects `agents.tp.dev`: a workload whose pods have an agent, one object each, of the workload's name and kind. The
 * manager makes it for the first intercept; it stays, so that the next one needs no new pods. Who deletes it takes the
 * agent off the workload.
 */
import type { KubernetesObject } from "../k8s/mod.ts";
import type { PodPort, WorkloadRef } from "./intercept.ts";

/** A port that an agent takes over. */
export interface TakenPort extends PodPort {
  /** Container that listens on it, where one says so. */
  readonly container?: string;
  /** Names under which Services mean it: the agent's container bears them in the app's place. */
  readonly names: readonly string[];
  /** Whether traffic must be redirected inside the pod: it is meant by number, or by address and port. */
  readonly redirect: boolean;
}

export interface AgentSpec {
  /** Namespace of the manager that the agents turn to: any other leaves it alone. */
  readonly manager: string;
  /** The line of the manager's authorities that the agents trust; see `authority.ts`. */
  readonly line?: string;
  readonly workload: WorkloadRef & { readonly uid: string };
  readonly ports: readonly TakenPort[];
  /** Containers that are replaced, and do not run. */
  readonly replaced: readonly string[];
  /** Who the containers run as, where the pod does not say but a running one shows. */
  readonly users: Readonly<Record<string, { uid: number; gid: number }>>;
}

export interface Agent extends KubernetesObject {
  spec: AgentSpec;
}

/** Name of a workload's object: `deployment-web`. */
export function agentObjectName(
  { kind, name }: Pick<WorkloadRef, "kind" | "name">,
): string {
  return `${kind.toLowerCase()}-${name}`;
}

/** Annotation of a pod that has an agent: {@link agentRevision} of what it was given. */
export const revisionAnnotation = "tp.dev/agent-revision";
/** Annotation of a Rollout: the `restartAt` that it was given so that its pods are replaced, and the one of before. */
export const restartAnnotation = "tp.dev/restart";
/** Annotation of a pod that has an agent: the manager's authorities as it was made, PEM. */
export const authoritiesAnnotation = "tp.dev/manager-ca";
/** Annotation of a pod that has an agent: namespace of the manager that it turns to. */
export const managerAnnotation = "tp.dev/manager";
/** Label of a pod that has an agent: `true`. */
export const agentLabel = "tp.dev/agent";
/** Name of the agent's container in a pod. */
export const agentContainerName = "traffic-agent";

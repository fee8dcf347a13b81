/** The manager's objects in the cluster, as far as this user may see them: by name, since no more is granted. */
import {
  type ApiClient,
  type ApiError,
  type ContainerStatus,
  isApiError,
  isPodReady,
  type Pod,
  resources,
  type Workload,
} from "../../k8s/mod.ts";
import { managerName, managerPod, maxReplicas } from "../../manager/api.ts";

export interface Place {
  /** Of the manager. */
  namespace: string;
  signal: AbortSignal;
}

/** One copy of the manager, for as long as its process lives: what a session is with. */
export interface Replica {
  /** Name of its pod. */
  readonly pod: string;
  /** Differs when the pod was replaced, or its container started again. */
  readonly life: string;
}

/** What of the manager is there. */
export interface Replicas {
  /** `undefined` for who may not look. */
  readonly set: Workload | "gone" | undefined;
  /** One for each copy that there shall be; absent while there is none, or for who may not look at this one. */
  readonly pods: readonly (Pod | undefined)[];
}

/** @throws {ApiError} when this user may look at none of the pods. */
export async function findReplicas(
  api: ApiClient,
  place: Place,
): Promise<Replicas> {
  const [set, first] = await Promise.all([
    findStatefulSet(api, place),
    tryPod(api, place, 0),
  ]);
  const others = Array.from({ length: replicasOf(set) - 1 });
  const found = [
    first,
    ...await Promise.all(others.map((_, i) => tryPod(api, place, i + 1))),
  ];
  if (found.every(({ forbidden }) => forbidden)) throw first.forbidden;
  return { set, pods: found.map(({ pod }) => pod) };
}

/** Copies that can be reached, in an order that is another each time: laptops shall spread over them. */
export function readyOf(
  { pods }: Replicas,
  random: () => number = Math.random,
): Replica[] {
  return pods.flatMap((pod) => pod && isPodReady(pod) ? [replicaOf(pod)] : [])
    .map((replica) => ({ replica, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ replica }) => replica);
}

/** Whether the process that `replica` names is there no more; one in a pod that is about to go still is. */
export function isGone({ pods }: Replicas, replica: Replica): boolean {
  const pod = pods.find((one) => one?.metadata.name === replica.pod);
  if (pod === undefined || replicaOf(pod).life !== replica.life) return true;
  const { terminated, waiting } = containerOf(pod)?.state ?? {};
  return terminated !== undefined || waiting !== undefined;
}

/** How many copies the StatefulSet wants. */
export function replicasOf(set: Replicas["set"]): number {
  const wanted = typeof set === "object" ? set.spec?.replicas ?? 1 : 1;
  return Math.min(Math.max(wanted, 1), maxReplicas);
}

function replicaOf(pod: Pod): Replica {
  const { name = "", uid = "" } = pod.metadata;
  return { pod: name, life: `${uid} ${containerOf(pod)?.containerID ?? ""}` };
}

function containerOf({ status }: Pod): ContainerStatus | undefined {
  return status?.containerStatuses?.find(({ name }) => name === managerName);
}

async function tryPod(
  api: ApiClient,
  { namespace, signal }: Place,
  replica: number,
): Promise<{ pod?: Pod | undefined; forbidden?: ApiError }> {
  const ref = { namespace, name: managerPod(replica) };
  try {
    return { pod: await api.find(resources.pods, ref, { signal }) };
  } catch (error) {
    if (isApiError(error, "Forbidden")) return { forbidden: error };
    throw error;
  }
}

/** The manager's StatefulSet; `undefined` for who may not look. */
export async function findStatefulSet(
  api: ApiClient,
  { namespace, signal }: Place,
): Promise<Replicas["set"]> {
  const ref = { namespace, name: managerName };
  try {
    return await api.find(resources.statefulSets, ref, { signal }) ?? "gone";
  } catch (error) {
    if (isApiError(error, "Forbidden")) return undefined;
    throw error;
  }
}

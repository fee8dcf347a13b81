/** Waits for the manager's pods, and tells why one does not come as soon as the cluster knows. */
import {
  type ApiClient,
  type Event,
  eventsAbout,
  isApiError,
  isPodReady,
  lastWarning,
  type Pod,
  podPhase,
  type PodState,
  podTrouble,
  type Workload,
} from "../../k8s/mod.ts";
import { pause, systemClock } from "../../net/mod.ts";
import { ConnectError } from "../failure.ts";
import { Patience } from "../patience.ts";
import type { ManagerOptions } from "./manager.ts";
import { findReplicas, type Place, type Replicas } from "./replicas.ts";

const readyTimeoutMs = 120_000;
const pollMs = 250;

/** The StatefulSet's label on a pod that tells by which version of it the pod was made. */
const revisionLabel = "controller-revision-hash";

/**
 * Resolves when the pods are the StatefulSet's present ones and ready: all of them, or any.
 *
 * @throws {ConnectError} `manager-not-ready` with the cluster's reason.
 */
export async function waitUntilReady(
  api: ApiClient,
  { wanted, ...options }: ManagerOptions & { wanted: "all" | "any" },
): Promise<void> {
  const { managerNamespace: namespace, signal, tell } = options;
  using patience = new Patience((text) =>
    tell({
      event: "progress",
      text: `Waiting for the traffic manager: ${text}`,
    })
  );
  const deadline = performance.now() + readyTimeoutMs;
  let late: PodState = { events: [] };
  while (performance.now() < deadline) {
    const states = await observe(api, { namespace, signal });
    const missing = states.filter(({ pod }) => !isPodReady(pod));
    if (missing.length === 0) return;
    if (wanted === "any" && missing.length < states.length) return;
    const hopeless = missing.filter((one) => podTrouble(one) !== undefined);
    if (hopeless.length >= (wanted === "all" ? 1 : missing.length)) {
      const [state] = hopeless as [PodState];
      const words = await lastWords(api, { namespace, state });
      throw notReady(namespace, podTrouble(state) + words);
    }
    late = missing[0]!;
    patience.waitFor(podPhase(late));
    await pause(pollMs, { clock: systemClock, signal });
    signal.throwIfAborted();
  }
  const warning = lastWarning(late) ?? podPhase(late);
  const state = `not ready after ${readyTimeoutMs / 1000} s: ${warning}`;
  throw notReady(namespace, state);
}

function notReady(namespace: string, state: string): ConnectError {
  return new ConnectError({
    kind: "manager-not-ready",
    cause:
      `Cannot start the traffic manager in namespace "${namespace}": ${state}`,
  });
}

/** One state for each copy that there shall be. */
async function observe(
  api: ApiClient,
  place: Place,
): Promise<PodState[]> {
  const { set, pods } = await findReplicas(api, place);
  return await Promise.all(pods.map(async (pod) => {
    if (pod !== undefined && isOf(set, pod)) {
      if (isPodReady(pod)) return { pod, events: [] };
      return { pod, events: await eventsOf(api, { ...place, object: pod }) };
    }
    if (set === "gone") {
      throw notReady(place.namespace, "its StatefulSet was deleted");
    }
    if (set === undefined) return { events: [] };
    return { events: await eventsOf(api, { ...place, object: set }) };
  }));
}

/** Whether the pod was made by the StatefulSet as it is at present. */
function isOf(set: Replicas["set"], pod: Pod): boolean {
  if (set === undefined || set === "gone") return true;
  const { metadata: { generation = 0 }, status } = set;
  if ((status?.observedGeneration ?? 0) < generation) return false;
  const { updateRevision } = status as { updateRevision?: string };
  return pod.metadata.labels?.[revisionLabel] === updateRevision;
}

/** Events about this very object: one of the same name before it had its own. */
async function eventsOf(
  api: ApiClient,
  { namespace, signal, object }: Place & { object: Pod | Workload },
): Promise<Event[]> {
  const { name = "", uid } = object.metadata;
  const kind = object.kind ?? "Pod";
  try {
    const events = await eventsAbout(api, { namespace, name, kind }, {
      signal,
    });
    return events.filter(({ involvedObject }) =>
      (involvedObject as { uid?: string }).uid === uid
    );
  } catch (error) {
    if (isApiError(error, "Forbidden")) return [];
    throw error;
  }
}

/** What a container that ends again and again said last, for who may read it. */
async function lastWords(
  api: ApiClient,
  { namespace, state: { pod } }: { namespace: string; state: PodState },
): Promise<string> {
  const hasEnded = pod?.status?.containerStatuses?.some(({ lastState }) =>
    lastState?.terminated !== undefined
  );
  if (!hasEnded) return "";
  const ref = { namespace, name: pod?.metadata.name ?? "" };
  const text = await api.logs(ref, { previous: true, tailLines: 1 })
    .catch(() => "");
  const line = text.trim().split("\n").at(-1) ?? "";
  return line === "" ? "" : `, saying ${JSON.stringify(line)}`;
}

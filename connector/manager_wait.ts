/** Waits for the manager's pod, and tells why it does not come as soon as the cluster knows. */
import {
  type ApiClient,
  type Event,
  isApiError,
  type Pod,
  resources,
  type Workload,
} from "../k8s/mod.ts";
import { managerName, managerPod } from "../manager/api.ts";
import { ConnectError } from "./failure.ts";
import type { ManagerOptions } from "./manager.ts";
import {
  isReady,
  lastWarning,
  managerPhase,
  type ManagerState,
  managerTrouble,
} from "./manager_trouble.ts";
import { pause } from "./pause.ts";
import { Patience } from "./patience.ts";

const readyTimeoutMs = 120_000;
const pollMs = 250;

/** The StatefulSet's label on a pod that tells by which version of it the pod was made. */
const revisionLabel = "controller-revision-hash";

/**
 * Resolves when the manager's pod is the StatefulSet's present one and ready.
 *
 * @throws {ConnectError} `manager-not-ready` with the cluster's reason.
 */
export async function waitUntilReady(
  api: ApiClient,
  options: ManagerOptions,
): Promise<void> {
  const { managerNamespace: namespace, signal, tell } = options;
  using patience = new Patience((text) =>
    tell({
      event: "progress",
      text: `Waiting for the traffic manager: ${text}`,
    })
  );
  const deadline = Date.now() + readyTimeoutMs;
  let state: ManagerState = { events: [] };
  while (Date.now() < deadline) {
    state = await observe(api, { namespace, signal });
    if (isReady(state.pod)) return;
    const trouble = managerTrouble(state);
    if (trouble !== undefined) {
      const words = await lastWords(api, { namespace, state });
      throw notReady(namespace, trouble + words);
    }
    patience.waitFor(managerPhase(state));
    await pause(pollMs, signal);
    signal.throwIfAborted();
  }
  const warning = lastWarning(state) ?? managerPhase(state);
  const late = `not ready after ${readyTimeoutMs / 1000} s: ${warning}`;
  throw notReady(namespace, late);
}

function notReady(namespace: string, state: string): ConnectError {
  return new ConnectError({
    kind: "manager-not-ready",
    cause:
      `Cannot start the traffic manager in namespace "${namespace}": ${state}`,
  });
}

interface Place {
  namespace: string;
  signal: AbortSignal;
}

async function observe(api: ApiClient, place: Place): Promise<ManagerState> {
  const [set, pod] = await Promise.all([
    findStatefulSet(api, place),
    findPod(api, place),
  ]);
  if (pod !== undefined && isOf(set, pod)) {
    return { pod, events: await eventsOf(api, { ...place, object: pod }) };
  }
  if (set === "gone") {
    throw notReady(place.namespace, "its StatefulSet was deleted");
  }
  if (set === undefined) return { events: [] };
  return { events: await eventsOf(api, { ...place, object: set }) };
}

/** Whether the pod was made by the StatefulSet as it is at present. */
function isOf(set: Workload | "gone" | undefined, pod: Pod): boolean {
  if (set === undefined || set === "gone") return true;
  const { metadata: { generation = 0 }, status } = set;
  if ((status?.observedGeneration ?? 0) < generation) return false;
  const { updateRevision } = status as { updateRevision?: string };
  return pod.metadata.labels?.[revisionLabel] === updateRevision;
}

/** The pod of the manager, whatever made it. */
export async function findPod(
  api: ApiClient,
  { namespace, signal }: Place,
): Promise<Pod | undefined> {
  const ref = { namespace, name: managerPod };
  return await api.find(resources.pods, ref, { signal });
}

/** The manager's StatefulSet; `undefined` for who may not look. */
export async function findStatefulSet(
  api: ApiClient,
  { namespace, signal }: Place,
): Promise<Workload | "gone" | undefined> {
  const ref = { namespace, name: managerName };
  try {
    return await api.find(resources.statefulSets, ref, { signal }) ?? "gone";
  } catch (error) {
    if (isApiError(error, "Forbidden")) return undefined;
    throw error;
  }
}

/** Events about this very object: one of the same name before it had its own. */
async function eventsOf(
  api: ApiClient,
  { namespace, signal, object }: Place & { object: Pod | Workload },
): Promise<Event[]> {
  const { name = "", uid } = object.metadata;
  const kind = name === managerPod ? "Pod" : "StatefulSet";
  try {
    const events = await api.events({ namespace, name, kind }, { signal });
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
  { namespace, state: { pod } }: { namespace: string; state: ManagerState },
): Promise<string> {
  const hasEnded = pod?.status?.containerStatuses?.some(({ lastState }) =>
    lastState?.terminated !== undefined
  );
  if (!hasEnded) return "";
  const ref = { namespace, name: managerPod };
  const text = await api.logs(ref, { previous: true, tailLines: 1 })
    .catch(() => "");
  const line = text.trim().split("\n").at(-1) ?? "";
  return line === "" ? "" : `, saying ${JSON.stringify(line)}`;
}

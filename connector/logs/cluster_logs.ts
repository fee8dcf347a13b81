/**
 * What manager and agents wrote, read with the user's own rights.
 *
 * 1. The manager's pods are asked for by their names, as a connection does; pods with an agent everywhere, or where this
 *    user may not look everywhere, in one namespace.
 * 2. The log of each one's container is read, and of the container before it, where it was started again.
 * 3. What may not be read, or is not there, is told beside the rest.
 */
import {
  type ApiClient,
  isApiError,
  openApi,
  type Pod,
  resources,
} from "../../k8s/mod.ts";
import {
  agentContainerName,
  agentLabel,
  managerName,
} from "../../manager/api.ts";
import { accessOf } from "../approach.ts";
import type { ConnectRequest } from "../api.ts";
import { findReplicas } from "../cluster/replicas.ts";
import { withoutSecrets } from "./pod_text.ts";

/** Lines of one container; what is older is left out. */
const logLines = 20_000;
/** Pods whose logs are read at a time, and at all. */
const atATime = 4;
const mostPods = 500;
/** All logs together; pods beyond it are left out. */
const mostCharacters = 128 * 1024 * 1024;

export interface ClusterLogsRequest {
  /** Which cluster, and where pods with an agent are if this user may not look everywhere. */
  cluster: Pick<
    ConnectRequest,
    "context" | "kubeconfig" | "namespace" | "managerNamespace" | "image"
  >;
  manager: boolean;
  /** Whether those of this pod's agent are wanted; absent: of none. */
  agents?: (pod: string) => boolean;
  /** The pods themselves, too, without secrets. */
  pods: boolean;
  signal: AbortSignal;
}

export interface ClusterLogs {
  /** By name, such as `web-1.default.log`. */
  files: Map<string, string | object>;
  /** What could not be read, a line each. */
  problems: string[];
  /** What the cluster's things are called, each with its kind. */
  names: { kind: "pod" | "namespace" | "workload" | "node"; name: string }[];
}

export async function gatherClusterLogs(
  request: ClusterLogsRequest,
): Promise<ClusterLogs> {
  const logs: ClusterLogs = { files: new Map(), problems: [], names: [] };
  const told = (what: string, error: unknown) => {
    request.signal.throwIfAborted();
    logs.problems.push(`${what}: ${(error as Error).message}`);
  };
  try {
    const access = await accessOf(request.cluster);
    await using api = openApi(access, { userAgent: "tp" });
    const places = [
      ...request.manager
        ? await managerPods(api, request).catch((error) => {
          told("the manager's pods", error);
          return [];
        })
        : [],
      ...request.agents
        ? await agentPods(api, access.namespace, request).catch((error) => {
          told("pods with an agent", error);
          return [];
        })
        : [],
    ];
    if (places.length > mostPods) {
      logs.problems.push(
        `only ${mostPods} of ${places.length} pods: name some by --traffic-agents`,
      );
    }
    const left = places.slice(0, mostPods);
    const reader = async () => {
      for (let one; (one = left.shift()) !== undefined;) {
        await readPod(api, one, { request, logs, told });
      }
    };
    await Promise.all(Array.from({ length: atATime }, reader));
  } catch (error) {
    told("the cluster", error);
  }
  return logs;
}

interface Place {
  pod: Pod;
  container: string;
}

async function managerPods(
  api: ApiClient,
  { cluster, signal }: ClusterLogsRequest,
): Promise<Place[]> {
  const { managerNamespace: namespace } = cluster;
  const { pods } = await findReplicas(api, { namespace, signal });
  return pods.flatMap((pod) => pod ? [{ pod, container: managerName }] : []);
}

async function agentPods(
  api: ApiClient,
  namespace: string,
  { agents, signal }: ClusterLogsRequest,
): Promise<Place[]> {
  const wanted = { labelSelector: `${agentLabel}=true`, signal };
  const pods = await api.list(resources.pods, wanted).catch((error) => {
    if (!isApiError(error, "Forbidden")) throw error;
    return api.list(resources.pods, { ...wanted, namespace });
  });
  return pods.filter(({ metadata: { name = "" } }) => agents!(name))
    .map((pod) => ({ pod, container: agentContainerName }));
}

interface Reading {
  request: ClusterLogsRequest;
  logs: ClusterLogs;
  told: (what: string, error: unknown) => void;
}

async function readPod(
  api: ApiClient,
  { pod, container }: Place,
  { request: { pods, signal }, logs, told }: Reading,
): Promise<void> {
  const { name = "", namespace = "" } = pod.metadata;
  const file = `${name}.${namespace}`;
  logs.names.push(...namesOf(pod));
  if (pods) logs.files.set(`${file}.yaml`, withoutSecrets(pod) as object);
  const status = [
    ...pod.status?.containerStatuses ?? [],
    ...pod.status?.initContainerStatuses ?? [],
  ].find((one) => one.name === container);
  const lives = [false, ...(status?.restartCount ?? 0) > 0 ? [true] : []];
  for (const previous of lives) {
    const path = `${file}${previous ? ".previous" : ""}.log`;
    const options = { container, tailLines: logLines, previous, signal };
    try {
      if (sizeOf(logs) > mostCharacters) throw new Error("left out: too much");
      logs.files.set(path, await api.logs({ namespace, name }, options));
    } catch (error) {
      told(path, error);
    }
  }
}

function sizeOf({ files }: ClusterLogs): number {
  return files.values().reduce(
    (sum, one) => sum + (typeof one === "string" ? one.length : 0),
    0,
  );
}

function namesOf({ metadata, spec }: Pod): ClusterLogs["names"] {
  const { name = "", namespace = "", ownerReferences = [] } = metadata;
  const owners = ownerReferences.map((one) => one.name);
  return [
    { kind: "pod", name },
    { kind: "namespace", name: namespace },
    // A Deployment's ReplicaSet bears its name and a hash.
    ...owners.flatMap((owner): ClusterLogs["names"] => [
      { kind: "workload", name: owner },
      { kind: "workload", name: owner.replace(/-[a-z0-9]{5,10}$/, "") },
    ]),
    ...spec?.nodeName === undefined
      ? []
      : [{ kind: "node" as const, name: spec.nodeName }],
  ];
}

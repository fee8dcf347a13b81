/**
 * Takes agents off workloads, with the user's own rights.
 *
 * 1. All deletions are tried dry: who may not make one of them is told so, and nothing is touched.
 * 2. Intercepts on the workloads are deleted, and the Agent objects are deleted, so that new pods come without.
 * 3. Pods that have an agent are replaced, as each workload's own strategy says, and waited for. The manager does the same;
 *    it is done here too, since the manager may not run. What is left of them in the workload's history goes as well.
 */
import { type ApiClient, ApiError, resources } from "../../k8s/mod.ts";
import {
  type Agent,
  agentLabel,
  type Intercept,
  managerAnnotation,
} from "../../manager/api.ts";
import {
  agents,
  formatWorkload,
  intercepts,
  removeAgent,
  workloadNamedBy,
} from "../../manager/client.ts";
import type { ConnectEvent } from "../api.ts";
import { ConnectError } from "../failure.ts";
import { Patience } from "../patience.ts";
import { removeHistory } from "./agent_history.ts";

export interface RemovalOptions {
  /** Where the workloads are; everywhere when absent. */
  namespace?: string | undefined;
  /** Their names; all when absent. */
  workloads?: readonly string[] | undefined;
  /** Namespace of the manager whose agents are meant. */
  managerNamespace: string;
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
}

interface PlacedWorkload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/**
 * Resolves when no pod of the workloads has an agent any more.
 *
 * @returns how many workloads had one
 * @throws {ConnectError} `workload-unknown`; {ApiError} where the user may not.
 */
export async function removeAgents(
  api: ApiClient,
  options: RemovalOptions,
): Promise<number> {
  const { signal, managerNamespace } = options;
  const isMeant = ({ name }: { name: string }) =>
    options.workloads?.includes(name) ?? true;
  const isOurs = ({ spec }: Agent | Intercept) =>
    spec.manager === managerNamespace && isMeant(spec.workload);
  const objects = (await listKnown(api, agents, options)).filter(isOurs);
  const workloads = objects.map(placeOf);
  for (const one of await withoutObject(api, options)) {
    const isKnown = workloads.some((known) => keyOf(known) === keyOf(one));
    if (!isKnown && isMeant(one)) workloads.push(one);
  }
  mustBeAmong(workloads, options);

  const held = (await listKnown(api, intercepts, options)).filter(isOurs);
  const dry = { signal, dryRun: true };
  for (const one of held) await api.delete(intercepts, refOf(one), dry);
  for (const one of objects) await api.delete(agents, refOf(one), dry);
  for (const one of held) await removeIntercept(api, one, options);
  for (const one of objects) await api.delete(agents, refOf(one), { signal });
  await Promise.all(workloads.map((one) => replacePods(api, one, options)));
  return workloads.length;
}

async function removeIntercept(
  api: ApiClient,
  one: Intercept,
  { signal, tell }: RemovalOptions,
): Promise<void> {
  const { name, owner, client, workload } = one.spec;
  const text = `Removing intercept "${name}" on ${formatWorkload(workload)} ` +
    `(of ${owner}, ${client})...`;
  tell({ event: "progress", text });
  await api.delete(intercepts, refOf(one), { signal });
}

async function replacePods(
  api: ApiClient,
  { namespace, ...workload }: PlacedWorkload,
  { signal, tell }: RemovalOptions,
): Promise<void> {
  const who = `${formatWorkload(workload)} in namespace "${namespace}"`;
  tell({ event: "progress", text: `Removing the agent of ${who}...` });
  using patience = new Patience((text) => tell({ event: "progress", text }));
  await removeAgent(api, {
    ...{ namespace, workload, signal, leavesToManager: true },
    tell: (text) => patience.waitFor(`Waiting for ${who}: ${text}`),
  });
  await removeHistory(api, { namespace, workload, signal });
}

/** Workloads whose pods have an agent of the manager, as the pods tell it: their Agent object may be gone. */
async function withoutObject(
  api: ApiClient,
  { namespace, managerNamespace, signal }: RemovalOptions,
): Promise<PlacedWorkload[]> {
  const pods = await api.list(resources.pods, {
    ...{ labelSelector: `${agentLabel}=true`, signal },
    ...namespace === undefined ? {} : { namespace },
  });
  const found = new Map<string, PlacedWorkload>();
  for (const pod of pods) {
    const manager = pod.metadata.annotations?.[managerAnnotation];
    if (manager !== managerNamespace) continue;
    const named = workloadNamedBy(pod);
    if (named === undefined) continue;
    const { kind, name } = named;
    const apiVersion = kind === "Rollout" ? "argoproj.io/v1alpha1" : "apps/v1";
    const { namespace = "" } = pod.metadata;
    const one = { apiVersion, kind, name, namespace };
    found.set(keyOf(one), one);
  }
  return [...found.values()];
}

function mustBeAmong(
  found: readonly PlacedWorkload[],
  { workloads = [], namespace }: RemovalOptions,
): void {
  const missing = workloads.find((name) =>
    !found.some((one) => one.name === name)
  );
  if (missing === undefined) return;
  const where = namespace === undefined ? "" : ` in namespace "${namespace}"`;
  throw new ConnectError({
    kind: "workload-unknown",
    cause: `Cannot remove the agent of "${missing}": ` +
      `no workload of this name has one${where}`,
  });
}

/** All objects of one of our kinds; none where the cluster does not know the kind. */
async function listKnown<T extends Agent | Intercept>(
  api: ApiClient,
  resource: Parameters<typeof api.list<T>>[0],
  { namespace, signal }: RemovalOptions,
): Promise<T[]> {
  try {
    const where = namespace === undefined ? {} : { namespace };
    return await api.list(resource, { signal, ...where });
  } catch (error) {
    // For a kind that it never knew it has no reason to tell.
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

function placeOf({ spec, metadata: { namespace = "" } }: Agent) {
  const { apiVersion, kind, name } = spec.workload;
  return { apiVersion, kind, name, namespace };
}

function keyOf({ kind, name, namespace }: PlacedWorkload): string {
  return `${namespace}/${kind}/${name}`;
}

function refOf({ metadata: { name = "", namespace = "" } }: Agent | Intercept) {
  return { name, namespace };
}

/**
 * Takes `tp` out of a cluster, with the user's own rights. It does not matter who is connected, nor whether the manager
 * runs.
 *
 * 1. The webhook goes first: from then on no pod gets an agent, whatever else is still there.
 * 2. Intercepts, Agent objects and the agents in the pods.
 * 3. The manager's objects, those that it made for itself, and the kinds of its objects.
 * 4. What is left is looked for, and told.
 */
import { product, version } from "../../build.ts";
import {
  type ApiClient,
  type ClusterAccess,
  isApiError,
  type KubernetesObject,
  loadAccess,
  openApi,
  type Ref,
  type Resource,
  resourceOf,
  resources,
} from "../../k8s/mod.ts";
import {
  authoritySecretName,
  clusterWideName,
  sessionLabel,
} from "../../manager/api.ts";
import { agentPolicyName, managerManifests } from "../../manager/client.ts";
import { pause, systemClock } from "../../net/mod.ts";
import { toFailure } from "../errors.ts";
import { ConnectError } from "../failure.ts";
import { Patience } from "../patience.ts";
import { type RemovalOptions, removeAgents } from "./agent_removal.ts";
import { askApiServer } from "./api_server.ts";
import { forbiddenToUninstall } from "./forbidden.ts";

/** How long deleted objects may take to go, in ms. */
const goneMs = 120_000;
const pollMs = 250;

export interface UninstallRequest extends RemovalOptions {
  context?: string;
  kubeconfig?: string;
  /** All of `tp`, not only agents. */
  everything: boolean;
  /** What this laptop is connected with, if it is. */
  connected?: ConnectedPlace | undefined;
}

/** As {@link Status} tells it. */
export interface ConnectedPlace {
  readonly context: string;
  readonly server: string;
  readonly namespace: string;
}

/**
 * @returns lines for the user, of what was done
 * @throws {ConnectError}
 */
export async function uninstall(request: UninstallRequest): Promise<string[]> {
  const { context, kubeconfig } = request;
  try {
    const access = await loadAccess({
      env: Deno.env.toObject(),
      ...kubeconfig === undefined ? {} : { kubeconfig },
      ...context === undefined ? {} : { context },
    });
    await using api = openApi(access, { userAgent: product });
    await askApiServer(api, request);
    const { workloads, connected } = request;
    const { namespace = workloads && usualNamespace(access, connected) } =
      request;
    return await uninstallFrom(api, { ...request, namespace });
  } catch (error) {
    throw new ConnectError(toFailure(error), { cause: error });
  }
}

/** Where workloads are that are named: as of every command, in the connection's namespace, where that is the same cluster. */
export function usualNamespace(
  { context, server, namespace }: Pick<
    ClusterAccess,
    "context" | "server" | "namespace"
  >,
  connected: ConnectedPlace | undefined,
): string {
  const isSame = connected?.context === context &&
    new URL(connected.server).href === server.href;
  return isSame ? connected.namespace : namespace;
}

/** @throws {ConnectError} `forbidden`, or what the API server says otherwise. */
export async function uninstallFrom(
  api: ApiClient,
  request: UninstallRequest,
): Promise<string[]> {
  try {
    if (request.everything) return await removeEverything(api, request);
    return [agentsText(await removeAgents(api, request))];
  } catch (error) {
    if (!isApiError(error, "Forbidden")) throw error;
    throw await forbiddenToUninstall(api, { ...request, cause: error });
  }
}

function agentsText(count: number): string {
  return count === 1
    ? "Removed the agent of 1 workload"
    : `Removed the agents of ${count} workloads`;
}

async function removeEverything(
  api: ApiClient,
  request: UninstallRequest,
): Promise<string[]> {
  const { managerNamespace, signal, tell } = request;
  const others = await otherManagers(api, request);
  const manifests = managerManifests({
    ...{ namespace: managerNamespace, image: "", version },
    // What an installation may have beyond the usual.
    ...{ replicas: 2, direct: anyDirect, allowGlobal: false },
  }).filter(({ kind }) => kind !== "Namespace").reverse()
    .filter((one) => others.length === 0 || !isShared(one, managerNamespace));
  const webhooks = manifests.filter(isWebhook);
  for (const one of webhooks) await remove(api, one, signal);
  const count = await removeAgents(api, { managerNamespace, signal, tell });
  const text =
    `Removing traffic manager from namespace "${managerNamespace}"...`;
  tell({ event: "progress", text });
  const { isThere, namespace } = await ownNamespace(api, request);
  for (const one of manifests) await remove(api, one, signal);
  await removeOwn(api, request);
  if (namespace) await remove(api, namespace, signal);
  await untilGone(api, namespace ? [...manifests, namespace] : manifests, {
    ...request,
  });
  const isKept = isThere && namespace === undefined;
  return [agentsText(count), leftText(request, { isKept, others })];
}

const anyDirect = {
  endpoint: { host: "any.invalid", port: 1 },
  service: "LoadBalancer",
} as const;

function isWebhook({ kind }: KubernetesObject): boolean {
  return kind === "MutatingWebhookConfiguration";
}

/** Of all managers of the cluster: the kinds, who may do what with them, and their policy. */
function isShared(
  { metadata: { name = "", namespace } }: KubernetesObject,
  manager: string,
): boolean {
  return namespace === undefined && !name.includes(`-${manager}`);
}

/** Namespaces of other managers, as their webhooks tell. */
async function otherManagers(
  api: ApiClient,
  { managerNamespace, signal }: UninstallRequest,
): Promise<string[]> {
  const all = await api.list(resources.mutatingWebhookConfigurations, {
    ...{ labelSelector: "app.kubernetes.io/part-of=tp", signal },
  });
  const own = clusterWideName(managerNamespace);
  return all.map(({ metadata: { name = "" } }) => name)
    .filter((name) => name !== own)
    .map((name) => name.slice(clusterWideName("").length));
}

function leftText(
  { managerNamespace }: UninstallRequest,
  { isKept, others }: { isKept: boolean; others: readonly string[] },
): string {
  if (others.length > 0) {
    return `Nothing of this manager is left in the cluster; ` +
      `there is another one in namespace "${others.join('", "')}"`;
  }
  const kept = `; namespace "${managerNamespace}" is not tp's alone and stays`;
  return "Nothing of tp is left in the cluster" + (isKept ? kept : "");
}

/** What the manager made for itself. */
async function removeOwn(
  api: ApiClient,
  { managerNamespace: namespace, signal }: UninstallRequest,
): Promise<void> {
  const options = { namespace, labelSelector: sessionLabel, signal };
  for (const lease of await api.list(resources.leases, options)) {
    const name = lease.metadata.name ?? "";
    await api.delete(resources.leases, { namespace, name }, { signal });
  }
  const secret = { namespace, name: authoritySecretName };
  await api.delete(resources.secrets, secret, { signal });
  await removeAgentPolicies(api, { namespace, signal });
}

/** In whatever namespaces an installation has made them. */
async function removeAgentPolicies(
  api: ApiClient,
  { namespace: manager, signal }: { namespace: string; signal: AbortSignal },
): Promise<void> {
  const policies = await api.list(resources.networkPolicies, {
    ...{ labelSelector: "app.kubernetes.io/part-of=tp", signal },
  });
  for (const { metadata: { name = "", namespace = "" } } of policies) {
    if (name !== agentPolicyName(manager)) continue;
    const ref = { namespace, name };
    await api.delete(resources.networkPolicies, ref, { signal });
  }
}

/** The manager's namespace; the object is there if an installation made it and nobody else has anything in it. */
async function ownNamespace(
  api: ApiClient,
  { managerNamespace: name, signal }: UninstallRequest,
): Promise<{ isThere: boolean; namespace?: KubernetesObject }> {
  const found = await api.find(resources.namespaces, { name }, { signal });
  const label = "app.kubernetes.io/managed-by";
  const isThere = found !== undefined;
  if (found?.metadata.labels?.[label] !== "tp") return { isThere };
  for (const resource of foreign) {
    const all = await api.list(resource, { namespace: name, signal });
    if (all.some((one) => !isOurs(one))) return { isThere };
  }
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  return { isThere, namespace };
}

/** Where somebody's things would be. */
const foreign: Resource[] = [
  resources.pods,
  resources.services,
  resources.configMaps,
  resources.secrets,
  resources.deployments,
  resources.statefulSets,
  resources.daemonSets,
  resources.serviceAccounts,
];

function isOurs({ metadata: { name = "", labels = {} } }: KubernetesObject) {
  return labels["app.kubernetes.io/part-of"] === "tp" ||
    // What every namespace has, and the manager's Secret.
    ["kube-root-ca.crt", "default", authoritySecretName].includes(name);
}

async function remove(
  api: ApiClient,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<void> {
  await api.delete(resourceOf(object), refOf(object), {
    signal,
    propagation: "Background",
  });
}

async function untilGone(
  api: ApiClient,
  objects: readonly KubernetesObject[],
  { signal, tell, managerNamespace }: UninstallRequest,
): Promise<void> {
  using patience = new Patience((text) => tell({ event: "progress", text }));
  const deadline = performance.now() + goneMs;
  for (const object of objects) {
    const { kind = "object", metadata: { name } } = object;
    const what = `${kind} "${name}"`;
    patience.waitFor(`Waiting: ${what} is still being deleted...`);
    while (await isThere(api, object, signal)) {
      if (performance.now() > deadline) throw notGone(what, managerNamespace);
      await pause(pollMs, { clock: systemClock, signal });
      signal.throwIfAborted();
    }
  }
}

async function isThere(
  api: ApiClient,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const found = await api.find(resourceOf(object), refOf(object), { signal });
    return found !== undefined;
  } catch (error) {
    // Who may delete and not look has to take the API server's word.
    if (isApiError(error, "Forbidden")) return false;
    throw error;
  }
}

function notGone(what: string, namespace: string): ConnectError {
  return new ConnectError({
    kind: "not-removed",
    cause: `Cannot remove the traffic manager of namespace "${namespace}": ` +
      `${what} is still there after ${goneMs / 1000} s`,
  });
}

function refOf({ metadata: { name = "", namespace } }: KubernetesObject): Ref {
  return { name, ...namespace === undefined ? {} : { namespace } };
}

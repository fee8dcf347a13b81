/**
 * Finds the manager, or installs it.
 *
 * 1. A ready pod is all that is needed; to see it, a user needs few rights.
 * 2. No StatefulSet: the manifests are applied, each by server-side apply.
 * 3. The pod is waited for; why it does not come is told in the cluster's words as soon as they are known.
 * 4. An installation that fails is taken back.
 */
import { version } from "../build.ts";
import {
  type ApiClient,
  type Event,
  isApiError,
  type KubernetesObject,
  type Pod,
  type Ref,
  resourceOf,
  resources,
} from "../k8s/mod.ts";
import { logger } from "../log.ts";
import { managerName, managerPod } from "../manager/api.ts";
import { managerManifests } from "../manager/client.ts";
import type { ConnectEvent } from "./api.ts";
import { ConnectError } from "./failure.ts";
import { isReady, managerTrouble } from "./manager_trouble.ts";
import { missingRights } from "./rights.ts";

const log = logger("connector");

const readyTimeoutMs = 120_000;
const pollMs = 250;
const fieldManager = "tp";
/** Clocks of laptop and cluster differ; an event counts as this attempt's within this. */
const clockSkewMs = 60_000;

export interface ManagerOptions {
  managerNamespace: string;
  image: string;
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
}

/** @throws {ConnectError} `forbidden`, `manager-not-ready`. */
export async function ensureManager(
  api: ApiClient,
  options: ManagerOptions,
): Promise<void> {
  const { managerNamespace: namespace, signal, tell } = options;
  const pod = await findPod(api, options);
  if (isReady(pod)) return;
  if (pod !== undefined || await isInstalled(api, { namespace, signal })) {
    tell({ event: "progress", text: "Waiting for the traffic manager..." });
    await waitUntilReady(api, options);
    return;
  }
  const made = await installManager(api, options);
  try {
    await waitUntilReady(api, options);
  } catch (error) {
    await takeBack(api, made);
    throw error;
  }
}

/**
 * Applies the manifests; an installed manager becomes this release's.
 *
 * @returns the objects that were not there before, in the order of their making
 * @throws {ConnectError} `forbidden` with all the rights that are missing; nothing of this attempt is left then.
 */
export async function installManager(
  api: ApiClient,
  { managerNamespace: namespace, image, signal, tell }: ManagerOptions,
): Promise<KubernetesObject[]> {
  tell({
    event: "progress",
    text: `Installing traffic manager in namespace "${namespace}"...`,
  });
  const manifests = managerManifests({ namespace, image, version });
  const made: KubernetesObject[] = [];
  try {
    for (const manifest of manifests) {
      const before = await exists(api, manifest, signal);
      await api.apply(manifest, { fieldManager, force: true, signal });
      if (!before) made.push(manifest);
    }
    return made;
  } catch (error) {
    await takeBack(api, made);
    if (!isApiError(error, "Forbidden")) throw error;
    throw new ConnectError({
      kind: "forbidden",
      cause:
        `Cannot install the traffic manager in namespace "${namespace}": ${error.detail}`,
      details: await missingRights(api, manifests),
    }, { cause: error });
  }
}

async function findPod(
  api: ApiClient,
  { managerNamespace: namespace, signal }: ManagerOptions,
): Promise<Pod | undefined> {
  const ref = { namespace, name: managerPod };
  return await api.find(resources.pods, ref, { signal });
}

async function isInstalled(
  api: ApiClient,
  { namespace, signal }: { namespace: string; signal: AbortSignal },
): Promise<boolean> {
  const ref = { namespace, name: managerName };
  try {
    const found = await api.find(resources.statefulSets, ref, { signal });
    return found !== undefined;
  } catch (error) {
    // Who may not look may still be allowed to install; the API server will say.
    if (isApiError(error, "Forbidden")) return false;
    throw error;
  }
}

/** What may not be read counts as there: it is then left alone when an installation is taken back. */
async function exists(
  api: ApiClient,
  manifest: KubernetesObject,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const found = await api.find(resourceOf(manifest), refOf(manifest), {
      signal,
    });
    return found !== undefined;
  } catch (error) {
    if (isApiError(error, "Forbidden")) return true;
    throw error;
  }
}

function refOf({ metadata: { name = "", namespace } }: KubernetesObject): Ref {
  return { name, ...namespace === undefined ? {} : { namespace } };
}

/** @throws {ConnectError} `manager-not-ready` with the cluster's reason. */
export async function waitUntilReady(
  api: ApiClient,
  options: ManagerOptions,
): Promise<void> {
  const { managerNamespace: namespace, signal } = options;
  const deadline = Date.now() + readyTimeoutMs;
  const since = new Date(Date.now() - clockSkewMs);
  let trouble: string | undefined;
  while (Date.now() < deadline) {
    const pod = await findPod(api, options);
    if (isReady(pod)) return;
    const events = await eventsOf(api, { namespace, signal });
    trouble = managerTrouble({ pod, events }, { since });
    if (trouble !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    signal.throwIfAborted();
  }
  throw new ConnectError({
    kind: "manager-not-ready",
    cause: `Cannot start the traffic manager in namespace "${namespace}": ${
      trouble ?? `not ready after ${readyTimeoutMs / 1000} s`
    }`,
  });
}

async function eventsOf(
  api: ApiClient,
  { namespace, signal }: { namespace: string; signal: AbortSignal },
): Promise<Event[]> {
  try {
    const events = await api.list(resources.events, { namespace, signal });
    return events.filter(({ involvedObject: { name } }) =>
      name === managerName || name === managerPod
    );
  } catch (error) {
    if (isApiError(error, "Forbidden")) return [];
    throw error;
  }
}

async function takeBack(
  api: ApiClient,
  made: KubernetesObject[],
): Promise<void> {
  for (const manifest of made.toReversed()) {
    const ref = refOf(manifest);
    await api.delete(resourceOf(manifest), ref)
      .catch((error) => log.warn("object left behind", { ...ref, error }));
  }
}

/**
 * Finds the manager, or installs it.
 *
 * 1. A ready pod is all that is needed; to see it, a user needs few rights.
 * 2. No StatefulSet either: it has to be installed. Whether the user may is asked before anything is done.
 * 3. Its objects are applied and its pod waited for. An installation that fails is taken back.
 */
import { version } from "../build.ts";
import { type ApiClient, ApiError } from "../k8s/mod.ts";
import { managerManifests, type ManifestOptions } from "../manager/client.ts";
import type { ConnectEvent } from "./api.ts";
import { toFailure } from "./errors.ts";
import { ConnectError } from "./failure.ts";
import { forbiddenToConnect, forbiddenToInstall } from "./forbidden.ts";
import { Installation } from "./installation.ts";
import { isReady } from "./manager_trouble.ts";
import { findPod, findStatefulSet, waitUntilReady } from "./manager_wait.ts";

export interface ManagerOptions {
  managerNamespace: string;
  image: string;
  /** As {@link ManifestOptions.direct}. */
  direct?: ManifestOptions["direct"];
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
}

/** Whether the manager serves, will serve by itself, or has to be installed. */
export type ManagerPresence = "ready" | "coming" | "missing";

/**
 * Looks for the manager; changes nothing.
 *
 * @throws {ConnectError} `forbidden` when this user may not look, or would have to install it and may not.
 */
export async function lookForManager(
  api: ApiClient,
  { managerNamespace, image, signal }: ManagerOptions,
): Promise<ManagerPresence> {
  const place = { namespace: managerNamespace, signal };
  const pod = await findPod(api, place).catch(async (error) => {
    if (!isForbidden(error)) throw error;
    const cause = { managerNamespace, installed: false, cause: error };
    throw await forbiddenToConnect(api, cause);
  });
  if (isReady(pod)) return "ready";
  const set = await findStatefulSet(api, place);
  const isLeaving = pod?.metadata.deletionTimestamp !== undefined;
  if (set !== undefined && set !== "gone" || pod && !isLeaving) return "coming";
  const manifests = manifestsOf({ managerNamespace, image });
  const obstacle = await forbiddenToInstall(api, {
    managerNamespace,
    manifests,
  });
  if (obstacle !== undefined) throw obstacle;
  return "missing";
}

/**
 * Resolves when the manager is ready.
 *
 * @throws {ConnectError} `forbidden`, `manager-not-ready`.
 */
export async function ensureManager(
  api: ApiClient,
  presence: ManagerPresence,
  options: ManagerOptions,
): Promise<void> {
  if (presence === "missing") await installManager(api, options);
  else if (presence === "coming") await waitUntilReady(api, options);
}

/**
 * Applies the manager's objects and waits until it is ready; an installed one becomes this release's. When that fails,
 * objects that were not there before are removed again; what an earlier release had stays.
 *
 * @throws {ConnectError} `forbidden`, `manager-not-ready`.
 */
export async function installManager(
  api: ApiClient,
  options: ManagerOptions,
): Promise<void> {
  const { managerNamespace, signal, tell } = options;
  tell({
    event: "progress",
    text: `Installing traffic manager in namespace "${managerNamespace}"...`,
  });
  const manifests = manifestsOf(options);
  const installation = new Installation(api);
  try {
    await installation.apply(manifests, { signal, tell });
    await waitUntilReady(api, options);
  } catch (error) {
    const left = await installation.takeBack();
    const told = isForbidden(error)
      ? await forbiddenToInstall(api, {
        ...{ managerNamespace, manifests, cause: error },
      })
      : error;
    throw left.length > 0 ? withDetails(told, left) : told;
  }
}

function withDetails(error: unknown, more: string[]): ConnectError {
  const failure = toFailure(error);
  const details = [...failure.details ?? [], ...more];
  return new ConnectError({ ...failure, details }, { cause: error });
}

function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403;
}

function manifestsOf(
  { managerNamespace: namespace, image, direct }: Pick<
    ManagerOptions,
    "managerNamespace" | "image" | "direct"
  >,
) {
  return managerManifests({ namespace, image, version, direct });
}

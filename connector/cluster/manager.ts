/**
 * Finds the manager, or installs it.
 *
 * 1. A ready pod of any copy is all that is needed; to see it, a user needs few rights.
 * 2. No StatefulSet either: it has to be installed. Whether the user may is asked before anything is done.
 * 3. Its objects are applied and its pods waited for. An installation that fails is taken back.
 */
import { version } from "../../build.ts";
import { type ApiClient, ApiError } from "../../k8s/mod.ts";
import {
  managerManifests,
  type ManifestOptions,
} from "../../manager/client.ts";
import { type ConnectEvent, imageUnusedText } from "../api.ts";
import { toFailure } from "../errors.ts";
import { ConnectError } from "../failure.ts";
import { forbiddenToConnect, forbiddenToInstall } from "./forbidden.ts";
import { Installation } from "./installation.ts";
import { choicesOf } from "./installed.ts";
import { waitUntilReady } from "./manager_wait.ts";
import { mustBeOneCopy } from "./one_copy.ts";
import { findReplicas, readyOf, type Replica } from "./replicas.ts";
import { mustTakeManager } from "./server_version.ts";

export interface ManagerOptions {
  managerNamespace: string;
  image: string;
  /** As in a {@link ConnectRequest}. */
  isImageGiven?: boolean;
  /** As {@link ManifestOptions.direct}. */
  direct?: ManifestOptions["direct"];
  /** Copies to install; when absent as many as are installed, or else one. */
  replicas?: number | undefined;
  /** As {@link ManifestOptions.allowGlobal}; when absent as installed. */
  allowGlobal?: boolean | undefined;
  /** As {@link ManifestOptions.excludeEnv}; when absent as installed, and an empty list takes that back. */
  excludeEnv?: ManifestOptions["excludeEnv"];
  /** As {@link ManifestOptions.agentPolicies}. */
  agentPolicies?: ManifestOptions["agentPolicies"];
  signal: AbortSignal;
  tell: (event: ConnectEvent) => void;
}

/** What there is of the manager. */
export interface ManagerPresence {
  /** Whether it serves, will serve by itself, or has to be installed. */
  readonly state: "ready" | "coming" | "missing";
  /** Copies that serve; some for `ready`. */
  readonly ready: readonly Replica[];
}

/**
 * Looks for the manager; changes nothing.
 *
 * @throws {ConnectError} `forbidden` when this user may not look, or would have to install it and may not;
 *   `kubernetes-too-old`.
 */
export async function lookForManager(
  api: ApiClient,
  { managerNamespace, image, signal }: ManagerOptions,
): Promise<ManagerPresence> {
  const place = { namespace: managerNamespace, signal };
  const found = await findReplicas(api, place).catch(async (error) => {
    if (!isForbidden(error)) throw error;
    const cause = { managerNamespace, installed: false, cause: error };
    throw await forbiddenToConnect(api, cause);
  });
  const ready = readyOf(found);
  if (ready.length > 0) return { state: "ready", ready };
  const { set, pods } = found;
  const isStaying = pods.some((pod) =>
    pod && pod.metadata.deletionTimestamp === undefined
  );
  if (set !== undefined && set !== "gone" || isStaying) {
    return { state: "coming", ready };
  }
  await mustTakeManager(api, { signal });
  const manifests = manifestsOf({ managerNamespace, image });
  const obstacle = await forbiddenToInstall(api, {
    managerNamespace,
    manifests,
  });
  if (obstacle !== undefined) throw obstacle;
  return { state: "missing", ready };
}

/**
 * Resolves when the manager is ready.
 *
 * @throws {ConnectError} `forbidden`, `kubernetes-too-old`, `manager-not-ready`.
 */
export async function ensureManager(
  api: ApiClient,
  { state }: ManagerPresence,
  options: ManagerOptions,
): Promise<void> {
  if (state === "missing") return await installManager(api, options);
  if (options.isImageGiven) {
    options.tell({ event: "progress", text: imageUnusedText });
  }
  if (state === "coming") {
    await waitUntilReady(api, { ...options, wanted: "any" });
  }
}

/**
 * Applies the manager's objects and waits until it is ready; an installed one becomes this release's. When that fails,
 * objects that were not there before are removed again; what an earlier release had stays.
 *
 * @throws {ConnectError} `endpoint-ambiguous`, `forbidden`, `kubernetes-too-old`, `manager-not-ready`.
 */
export async function installManager(
  api: ApiClient,
  options: ManagerOptions,
): Promise<void> {
  const { managerNamespace, signal, tell } = options;
  await mustTakeManager(api, { signal });
  const chosen = { ...options, ...await choicesOf(api, options) };
  mustBeOneCopy(chosen);
  tell({
    event: "progress",
    text: `Installing traffic manager in namespace "${managerNamespace}"...`,
  });
  const manifests = manifestsOf(chosen);
  const installation = new Installation(api);
  try {
    await installation.apply(manifests, { signal, tell });
    await waitUntilReady(api, { ...options, wanted: "all" });
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
  { managerNamespace: namespace, ...options }:
    & Pick<ManagerOptions, "managerNamespace" | "image">
    & Partial<ManagerOptions>,
) {
  const { image, direct, replicas, allowGlobal } = options;
  const { excludeEnv, agentPolicies } = options;
  return managerManifests({
    ...{ namespace, image, version, direct, replicas, allowGlobal },
    ...{ excludeEnv, agentPolicies },
  });
}

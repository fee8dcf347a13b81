/** What admins chose of a manager that is installed: it stays as long as nobody says otherwise. */
import { type ApiClient, isApiError, resources } from "../../k8s/mod.ts";
import {
  installedExcludeEnv,
  type ManifestOptions,
  noGlobalPolicyName,
} from "../../manager/client.ts";
import { ConnectError } from "../failure.ts";
import type { ManagerOptions } from "./manager.ts";
import { findStatefulSet, type Replicas, replicasOf } from "./replicas.ts";
import { formatRights } from "./rights.ts";

type Choices = Pick<
  ManifestOptions,
  "replicas" | "allowGlobal" | "excludeEnv"
>;
type Wishes = Choices & Pick<ManagerOptions, "managerNamespace" | "signal">;

/**
 * What an installation is to be made with: what `wishes` say, and of the rest what is installed.
 *
 * @throws {ConnectError} `forbidden` for who may not see, and does not say, which variables are withheld from laptops.
 */
export async function choicesOf(
  api: ApiClient,
  wishes: Wishes,
): Promise<Choices> {
  const { managerNamespace: namespace, signal } = wishes;
  const set = await findStatefulSet(api, { namespace, signal });
  return {
    // By `kubectl scale`, too.
    replicas: wishes.replicas ?? replicasOf(set),
    allowGlobal: wishes.allowGlobal ?? await isGlobalAllowed(api, wishes),
    excludeEnv: wishes.excludeEnv ?? excludeEnvOf(set, namespace),
  };
}

function excludeEnvOf(
  set: Replicas["set"],
  namespace: string,
): Choices["excludeEnv"] {
  if (set === "gone") return undefined;
  if (set !== undefined) return installedExcludeEnv(set);
  const place = { group: "apps", resource: "statefulsets", namespace };
  throw new ConnectError({
    kind: "forbidden",
    cause: `Cannot install the traffic manager in namespace "${namespace}": ` +
      "you may not see what it is told to withhold from laptops",
    details: formatRights([{ verb: "get", ...place }]),
  });
}

/** As this release puts it. */
async function isGlobalAllowed(
  api: ApiClient,
  { managerNamespace, signal }: Wishes,
): Promise<boolean | undefined> {
  const ref = { name: noGlobalPolicyName(managerNamespace) };
  const kind = resources.validatingAdmissionPolicies;
  try {
    const policy = await api.find(kind, ref, { signal });
    return policy === undefined ? undefined : false;
  } catch (error) {
    // What is not applied is not taken away either.
    if (isApiError(error, "Forbidden")) return undefined;
    throw error;
  }
}

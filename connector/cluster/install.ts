import { product, version } from "../../build.ts";
import {
  type ApiClient,
  isApiError,
  loadAccess,
  openApi,
  resources,
} from "../../k8s/mod.ts";
import { directServiceName } from "../../manager/api.ts";
import {
  managerManifests,
  type ManifestOptions,
  noGlobalPolicyName,
} from "../../manager/client.ts";
import { toFailure } from "../errors.ts";
import { ConnectError } from "../failure.ts";
import { askApiServer } from "./api_server.ts";
import { installManager, type ManagerOptions } from "./manager.ts";
import { mustBeOneCopy } from "./one_copy.ts";

export interface InstallRequest extends ManagerOptions {
  context?: string;
  kubeconfig?: string;
}

/**
 * Installs the manager, or makes an installed one this release's, and waits until it is ready. What an earlier release
 * had stays if this one fails.
 *
 * @throws {ConnectError}
 */
export async function install(request: InstallRequest): Promise<void> {
  const { context, kubeconfig } = request;
  try {
    const access = await loadAccess({
      env: Deno.env.toObject(),
      ...kubeconfig === undefined ? {} : { kubeconfig },
      ...context === undefined ? {} : { context },
    });
    await using api = openApi(access, { userAgent: product });
    await askApiServer(api, request);
    await installManager(api, request);
    if (!request.direct?.service) await removeDirectService(api, request);
    if (request.allowGlobal) await removeGlobalPolicy(api, request);
  } catch (error) {
    throw new ConnectError(toFailure(error), { cause: error });
  }
}

/** An earlier installation may have made one. Who may not remove it leaves a Service behind to which nobody listens. */
async function removeDirectService(
  api: ApiClient,
  { managerNamespace: namespace, signal }: ManagerOptions,
): Promise<void> {
  const ref = { namespace, name: directServiceName };
  await api.delete(resources.services, ref, { signal }).catch((error) => {
    if (!isApiError(error, "Forbidden")) throw error;
  });
}

/** An earlier installation may have made one, and what an admin denies is allowed when one says so. */
async function removeGlobalPolicy(
  api: ApiClient,
  { managerNamespace, signal }: ManagerOptions,
): Promise<void> {
  const ref = { name: noGlobalPolicyName(managerNamespace) };
  const options = { signal };
  await api.delete(resources.validatingAdmissionPolicyBindings, ref, options);
  await api.delete(resources.validatingAdmissionPolicies, ref, options);
}

/**
 * The manifests as YAML, for those who install by other means.
 *
 * @throws {ConnectError} `endpoint-ambiguous`
 */
export async function manifestsText(
  options: Omit<ManifestOptions, "version">,
): Promise<string> {
  mustBeOneCopy(options);
  const { stringify } = await import("../../yaml.ts");
  return managerManifests({ ...options, version })
    .map((manifest) => stringify(manifest))
    .join("---\n");
}

import { product, version } from "../build.ts";
import { loadAccess, openApi } from "../k8s/mod.ts";
import { managerManifests } from "../manager/client.ts";
import { askApiServer } from "./api_server.ts";
import { toFailure } from "./errors.ts";
import { ConnectError } from "./failure.ts";
import { installManager, type ManagerOptions } from "./manager.ts";

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
  } catch (error) {
    throw new ConnectError(toFailure(error), { cause: error });
  }
}

/** The manifests as YAML, for those who install by other means. */
export async function manifestsText(
  { namespace, image }: { namespace: string; image: string },
): Promise<string> {
  const { stringify } = await import("../yaml.ts");
  return managerManifests({ namespace, image, version })
    .map((manifest) => stringify(manifest))
    .join("---\n");
}

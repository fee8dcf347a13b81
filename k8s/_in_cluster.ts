/** A pod's own way to the API server: its service account. */
import type { ClusterAccess } from "./access.ts";
import { tokenFileCredential } from "./credential.ts";
import { broken } from "./kubeconfig.ts";

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface InClusterOptions {
  /** Default: this process's. */
  env?: Record<string, string>;
  /** Where token, ca.crt and namespace are. */
  folder?: string;
}

/** Whether the environment is that of a pod. */
export function isInCluster(env: Record<string, string>): boolean {
  return Boolean(env["KUBERNETES_SERVICE_HOST"]);
}

/**
 * Access as the service account of the pod that this runs in.
 *
 * @throws {KubeconfigError} `broken` outside of a pod, or in one without a service account's files.
 */
export async function inClusterAccess(
  { env = Deno.env.toObject(), folder = serviceAccountFolder }:
    InClusterOptions = {},
): Promise<ClusterAccess> {
  const host = env["KUBERNETES_SERVICE_HOST"];
  if (!host) throw broken(folder, "KUBERNETES_SERVICE_HOST is not set");
  const port = env["KUBERNETES_SERVICE_PORT"] || "443";
  const at = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const read = async (name: string) => {
    try {
      return await Deno.readTextFile(`${folder}/${name}`);
    } catch (error) {
      throw broken(folder, `${name} cannot be read`, error);
    }
  };
  const [authority, namespace] = await Promise.all([
    read("ca.crt"),
    read("namespace"),
  ]);
  return {
    context: "in-cluster",
    server: new URL(`https://${at}`),
    namespace: namespace.trim(),
    trust: { authority, insecure: false },
    credential: tokenFileCredential(`${folder}/token`),
    impersonation: [],
  };
}

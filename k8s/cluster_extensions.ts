import {
  kubeconfigPaths,
  type KubeconfigPlace,
  readKubeconfigs,
} from "./_kubeconfig_files.ts";
import { type ClusterEntry, selectContext } from "./kubeconfig.ts";

/** What other programs have written of a cluster into a kubeconfig. */
export interface ClusterExtensions {
  /** The file that has the cluster. */
  readonly path: string;
  readonly cluster: string;
  readonly extensions: NonNullable<ClusterEntry["extensions"]>;
}

/**
 * The extensions of the cluster that a context means. `undefined` when there is no kubeconfig.
 *
 * @throws {KubeconfigError}
 */
export async function readClusterExtensions(
  { context, ...place }: KubeconfigPlace & { context?: string },
): Promise<ClusterExtensions | undefined> {
  const files = await readKubeconfigs(kubeconfigPaths(place));
  if (files.length === 0) return undefined;
  const { clusterName, cluster } = selectContext(files, context);
  const { extensions = [] } = cluster.entry;
  return {
    ...{ path: cluster.path, cluster: clusterName },
    // Other programs write them.
    extensions: [extensions].flat().filter((one) => one?.name !== undefined),
  };
}

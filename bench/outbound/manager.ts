/** A manager of the benchmark's own: the one of this executable, and no one else's is touched. */
import { version } from "../../build.ts";
import { managerManifests } from "../../manager/client.ts";
import { buildManagerImage, type Cluster } from "../../tests/cluster/mod.ts";
import { containerPids } from "./processes.ts";

export const executable = new URL("../../dist/tp", import.meta.url).pathname;

export const managerNamespace = "tp-bench";

/** Installed until disposed of. */
export interface BenchManager extends AsyncDisposable {
  readonly image: string;
  readonly pids: readonly number[];
}

/** Installs a manager, instead of one that a run before may have left. */
export async function installManager(cluster: Cluster): Promise<BenchManager> {
  await removeManager(cluster);
  const image = Deno.env.get("TP_IMAGE") ?? "docker.io/local/tp:bench";
  if (cluster.isBed) {
    await buildManagerImage(cluster, { executable, name: image });
  }
  const namespace = managerNamespace;
  const manifests = managerManifests({ namespace, image, version });
  await cluster.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }),
  );
  await cluster.rolledOut("statefulset/traffic-manager", { namespace });
  const selector = "statefulset.kubernetes.io/pod-name=traffic-manager-0";
  return {
    image,
    pids: await containerPids(cluster, { namespace, selector }),
    [Symbol.asyncDispose]: () => removeManager(cluster),
  };
}

async function removeManager({ kubectl }: Cluster): Promise<void> {
  const gone = ["--ignore-not-found", "--timeout=30s"];
  const name = `traffic-manager-${managerNamespace}`;
  await kubectl(["delete", "namespace", managerNamespace, ...gone]);
  await kubectl(
    ["delete", "clusterrole,clusterrolebinding", name, ...gone],
  );
  await kubectl(
    ["-n", "default", "delete", "role,rolebinding", name, ...gone],
  );
}

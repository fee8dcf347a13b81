/** A manager of this run's own: the one of this executable, and no one else's is touched. */
import { version } from "../../build.ts";
import {
  managerManifests,
  type ManifestOptions,
} from "../../manager/client.ts";
import type { Cluster } from "../../tests/cluster/mod.ts";
import { ownImage } from "../../tests/support/own_image.ts";
import { containerPids } from "./processes.ts";

export { executable } from "../../tests/support/laptop_tp.ts";

/** Installed until disposed of. */
export interface BenchManager extends AsyncDisposable {
  readonly namespace: string;
  readonly image: string;
  /** The processes of its pod as it is by now. */
  findPids(): Promise<number[]>;
}

/** @param options.direct As {@link ManifestOptions.direct}. */
export async function installManager(
  cluster: Cluster,
  { direct }: Pick<ManifestOptions, "direct"> = {},
): Promise<BenchManager> {
  const image = await ownImage(cluster, "bench");
  await using building = new AsyncDisposableStack();
  const { name: namespace } = building.use(await cluster.namespace("tp-bench"));
  building.defer(() => removeRights(cluster, namespace));
  const manifests = managerManifests({
    ...{ namespace, image, version, direct },
  });
  await cluster.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }),
  );
  await cluster.rolledOut("statefulset/traffic-manager", { namespace });
  const selector = "statefulset.kubernetes.io/pod-name=traffic-manager-0";
  const stack = building.move();
  return {
    namespace,
    image,
    findPids: () => containerPids(cluster, { namespace, selector }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What the manager has outside of its namespace. */
async function removeRights(
  { kubectl }: Cluster,
  namespace: string,
): Promise<void> {
  const what = [`traffic-manager-${namespace}`, "--ignore-not-found"];
  const kinds = "clusterrole,clusterrolebinding,mutatingwebhookconfiguration";
  await kubectl(["delete", kinds, ...what]);
  await kubectl(["-n", "default", "delete", "role,rolebinding", ...what]);
}

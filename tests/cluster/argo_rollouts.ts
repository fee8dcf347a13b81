import { argoRolloutsBinary } from "./binaries.ts";
import type { Cluster } from "./cluster.ts";
import { mustKubectl } from "./kubectl.ts";
import { inNetns } from "./netns.ts";
import { logPath, startProcess, stopProcess } from "./process.ts";
import { nodeSettings } from "./settings.ts";

const name = "argo-rollouts";
/** In the node's network namespace, where the defaults may be a pod's. */
const ports = ["--metricsPort=18090", "--healthzPort=18091"];

export interface ArgoRollouts extends AsyncDisposable {
  /** Where the controller writes what it does. */
  readonly logPath: string;
}

/**
 * The controller of Argo Rollouts, and its kinds, for one namespace of the bed until it is disposed of. One at a time: the
 * kinds are the whole cluster's, and go with all of their objects.
 */
export async function openArgoRollouts(
  { kubectl, kubeconfigPath, isBed }: Cluster,
  { namespace }: { namespace: string },
): Promise<ArgoRollouts> {
  if (!isBed) {
    throw new Error(
      "Cannot run the controller of Argo Rollouts: the cluster of TP_TEST_KUBECONFIG may have its own",
    );
  }
  const { program, kinds } = await argoRolloutsBinary();
  await using building = new AsyncDisposableStack();
  const files = kinds.flatMap((path) => ["--filename", path]);
  building.defer(async () => {
    await kubectl(["delete", "--ignore-not-found", ...files], {
      timeoutMs: 60_000,
    });
  });
  // They are too long for the annotation of a client-side apply.
  await mustKubectl(kubectl, ["apply", "--server-side", ...files]);
  const established = ["wait", "--for=condition=Established", ...files];
  await mustKubectl(kubectl, [...established, "--timeout=30s"], {
    timeoutMs: 40_000,
  });
  building.defer(() => stopProcess(name));
  await startProcess({
    name,
    argv: inNetns(nodeSettings(1).netns, [
      ...[program, "--kubeconfig", kubeconfigPath, "--leader-elect=false"],
      ...["--namespaced", "--namespace", namespace, ...ports],
    ]),
  });
  const undo = building.move();
  return {
    logPath: logPath(name),
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

import { join } from "node:path";
import { restartApiServer } from "./api_server.ts";
import { run } from "./command.ts";
import { type Kubectl, kubectlFor, mustKubectl } from "./kubectl.ts";
import { alone } from "./lock.ts";
import { importIntoNode } from "./node.ts";
import { adminKubeconfig, binDir } from "./paths.ts";
import { bringPrograms } from "./programs.ts";
import { type NodeSettings, nodeSettings } from "./settings.ts";
import { readStatus } from "./status.ts";
import { up } from "./up.ts";
import { waitFor } from "./wait.ts";

/** The cluster that tests and benchmarks run against: the bed, or any other that `TP_TEST_KUBECONFIG` names. */
export interface Cluster {
  /** The administrator's kubeconfig. */
  readonly kubeconfigPath: string;
  /** True if this is the bed, false for a cluster of `TP_TEST_KUBECONFIG`. */
  readonly isBed: boolean;
  /** Where the API server answers, as the kubeconfig says. */
  readonly apiServerAddress: {
    readonly host: string;
    readonly port: number;
  };
  /** The bed's nodes; empty for another cluster. */
  readonly nodes: readonly NodeSettings[];
  /** The kubectl program. */
  readonly kubectlPath: string;
  /** kubectl as the administrator. */
  readonly kubectl: Kubectl;
  /** Applies manifests (YAML or JSON). @throws {Error} with what the API server said */
  apply(manifests: string): Promise<void>;
  /** Waits for `rollout status`. @throws {Error} with the state of its pods after `timeoutMs`, default 60 000 */
  rolledOut(
    workload: string,
    options?: { namespace?: string; timeoutMs?: number },
  ): Promise<void>;
  /** Makes a namespace that is deleted with its scope. */
  namespace(prefix?: string): Promise<TestNamespace>;
  /** Brings an image, a tar as `docker save` writes it, to all nodes. @throws {Error} if this is not the bed */
  importImage(tarPath: string): Promise<void>;
  /**
   * Ends the API server as an upgrade does and starts it again; resolves when it is ready. All connections to it end.
   *
   * @throws {Error} if this is not the bed
   */
  restartApiServer(): Promise<void>;
}

/** A namespace of one test. */
export interface TestNamespace extends AsyncDisposable {
  readonly name: string;
}

/**
 * The cluster of `TP_TEST_KUBECONFIG`, else the bed, which is brought up if it is not; it stays up afterwards.
 *
 * @param nodes how many nodes the bed has at least
 */
export async function openCluster({ nodes = 1 } = {}): Promise<Cluster> {
  const kubeconfig = Deno.env.get("TP_TEST_KUBECONFIG");
  if (kubeconfig !== undefined && kubeconfig !== "") {
    return await describeCluster(kubeconfig, await findKubectl(), []);
  }
  const status = await readStatus();
  if (status.state !== "up" || status.nodes < nodes) {
    await alone(() => up({ nodes }));
  }
  const present = status.state === "up" ? Math.max(status.nodes, nodes) : nodes;
  return await describeCluster(
    adminKubeconfig,
    join(binDir, "kubectl"),
    Array.from({ length: present }, (_, index) => nodeSettings(index + 1)),
  );
}

async function describeCluster(
  kubeconfigPath: string,
  kubectlPath: string,
  nodes: readonly NodeSettings[],
): Promise<Cluster> {
  const kubectl = kubectlFor(kubeconfigPath, kubectlPath);
  const server = await mustKubectl(
    kubectl,
    ["config", "view", "--minify", "-o", "jsonpath={.clusters[0]..server}"],
  );
  const url = new URL(server);
  return {
    kubeconfigPath,
    isBed: nodes.length > 0,
    apiServerAddress: {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port || 443),
    },
    nodes,
    kubectlPath,
    kubectl,
    apply: async (manifests) => {
      await mustKubectl(kubectl, ["apply", "-f", "-"], { stdin: manifests });
    },
    rolledOut: (workload, options) => rolledOut(kubectl, workload, options),
    namespace: (prefix) => makeNamespace(kubectl, prefix),
    importImage: (tarPath) => importImage(nodes, tarPath),
    restartApiServer: async () => {
      if (nodes.length > 0) return await restartApiServer();
      throw new Error(
        "Cannot restart the API server: that of TP_TEST_KUBECONFIG is not ours",
      );
    },
  };
}

async function findKubectl(): Promise<string> {
  const { stdout } = await run(["sh", "-c", "command -v kubectl"]);
  if (stdout !== "") return await Deno.realPath(stdout.trim());
  throw new Error(
    "Cannot use the cluster of TP_TEST_KUBECONFIG: no kubectl in PATH; install it",
  );
}

async function rolledOut(
  kubectl: Kubectl,
  workload: string,
  { namespace = "default", timeoutMs = 60_000 } = {},
): Promise<void> {
  const scope = ["-n", namespace];
  const timeout = `--timeout=${Math.ceil(timeoutMs / 1000)}s`;
  const result = await kubectl(
    [...scope, "rollout", "status", workload, timeout],
    { timeoutMs: timeoutMs + 10_000 },
  );
  if (result.code === 0) return;
  const pods = await kubectl([...scope, "get", "pods", "-o", "wide"]);
  throw new Error(
    `Cannot go on: ${workload} is not ready after ${timeoutMs / 1000} s: ` +
      `${result.stderr.trim()}\n${pods.stdout}`,
  );
}

async function makeNamespace(
  kubectl: Kubectl,
  prefix = "test",
): Promise<TestNamespace> {
  const name = `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
  await mustKubectl(kubectl, ["create", "namespace", name]);
  // A pod is refused until its namespace has the service account that it runs as.
  await waitFor(`service account in ${name}`, async () => {
    const get = ["-n", name, "get", "serviceaccount", "default"];
    const { code, stderr } = await kubectl(get);
    return code === 0 || stderr.trim();
  });
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      const now = ["--now", "--wait=false", "--ignore-not-found"];
      await kubectl(["-n", name, "delete", "pods", "--all", ...now]);
      await kubectl(["delete", "namespace", name, "--wait=false"]);
    },
  };
}

async function importImage(
  nodes: readonly NodeSettings[],
  tarPath: string,
): Promise<void> {
  if (nodes.length === 0) {
    throw new Error(
      `Cannot import "${tarPath}": the cluster of TP_TEST_KUBECONFIG takes no images from here; push them to a ` +
        "registry that it pulls from and name them in TP_IMAGE and TP_TEST_IMAGES",
    );
  }
  const programs = await bringPrograms();
  for (const node of nodes) await importIntoNode(node, programs, tarPath);
}

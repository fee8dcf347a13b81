import { join } from "node:path";
import { apiServerReady } from "./api_server.ts";
import { kubernetesCommands } from "./binaries.ts";
import { corednsObjects, writeCorednsImage } from "./coredns.ts";
import {
  controllerProcesses,
  type Programs,
  storeProcesses,
} from "./control_plane.ts";
import { tearDown } from "./down.ts";
import { writeImage } from "./image.ts";
import { bedKubectl, mustKubectl } from "./kubectl.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { checkMachine, saveMachineSettings } from "./machine.ts";
import { makeFirstNodeNetwork, makeSecondNodeNetwork } from "./network.ts";
import {
  containerdReady,
  importIntoNode,
  prepareNode,
  removeNode,
  startNode,
} from "./node.ts";
import { pauseImage } from "./node_config.ts";
import { installPackages } from "./packages.ts";
import { adminKubeconfig, binDir, stateDir, statePath } from "./paths.ts";
import { makeAuthority } from "./pki.ts";
import { assertAlive, startProcess } from "./process.ts";
import { bringPrograms } from "./programs.ts";
import { type NodeSettings, nodeSettings } from "./settings.ts";
import { readStatus, writeNodeCount } from "./status.ts";
import { say, step } from "./step.ts";
import { waitFor } from "./wait.ts";

/**
 * Brings the bed up, or says that it is; what a broken start left behind is removed first. A second node is added to a
 * bed that has one.
 *
 * 1. machine checked, packages and programs brought
 * 2. namespaces, certificates, store and API server; containerd beside them
 * 3. controllers and kubelet, images, cluster DNS
 */
export async function up({ nodes }: { nodes: number }): Promise<void> {
  const status = await readStatus();
  if (status.state === "up" && status.nodes >= nodes) {
    say(`bed: it is up (nodes: ${status.nodes})`);
    return;
  }
  await checkMachine();
  await installPackages();
  const programs = await bringPrograms();
  if (status.state === "up") {
    await step("adding the second node", () => addSecondNode(programs));
    return;
  }
  if (status.state === "broken") {
    await step(`clearing away a broken bed (${status.why})`, tearDown);
  }
  await Deno.mkdir(stateDir, { recursive: true });
  await step("namespaces and certificates", prepare);
  await linkPrograms(programs);
  await step("etcd, API server, containerd", () => startStore(programs));
  await step("controllers, kubelet, images", () => startFirstNode(programs));
  await step("cluster DNS", startDns);
  if (nodes > 1) await step("second node", () => addSecondNode(programs));
  else await writeNodeCount(1);
  say(`bed: up; kubeconfig: ${adminKubeconfig}`);
}

async function prepare(): Promise<void> {
  await saveMachineSettings();
  await makeFirstNodeNetwork();
  await makeAuthority();
  const kubeconfigs = {
    "admin": "kubernetes-admin",
    "controller-manager": "system:kube-controller-manager",
    "scheduler": "system:kube-scheduler",
    "proxy": "system:kube-proxy",
  };
  for (const [file, user] of Object.entries(kubeconfigs)) {
    await writeKubeconfig(statePath(`${file}.kubeconfig`), { file, user });
  }
}

async function linkPrograms(programs: Programs): Promise<void> {
  await Deno.mkdir(binDir, { recursive: true });
  const target = join(programs.compiled, "hyperkube");
  for (const name of kubernetesCommands) {
    await Deno.symlink(target, join(binDir, name));
  }
}

async function startStore(programs: Programs): Promise<void> {
  for (const process of storeProcesses(programs)) await startProcess(process);
  await prepareNode(nodeSettings(1), programs);
  await apiServerReady();
}

async function startFirstNode(programs: Programs): Promise<void> {
  const node = nodeSettings(1);
  for (const process of controllerProcesses(programs)) {
    await startProcess(process);
  }
  await startNode(node, programs);
  await writeImage({
    name: pauseImage,
    entrypoint: ["/pause"],
    files: { "/pause": join(programs.compiled, "pause") },
  });
  await writeCorednsImage(programs.compiled);
  await importKeptImages(node, programs);
  await nodeReady(node);
}

async function addSecondNode(programs: Programs): Promise<void> {
  const node = nodeSettings(2);
  await removeNode(node); // what a failed attempt may have left
  await makeSecondNodeNetwork();
  await prepareNode(node, programs);
  await startNode(node, programs);
  await importKeptImages(node, programs);
  await nodeReady(node);
  await writeNodeCount(2);
}

/** The images that the bed itself needs, and those that were brought since. */
async function importKeptImages(
  node: NodeSettings,
  programs: Programs,
): Promise<void> {
  await containerdReady(node, programs);
  for await (const { name } of Deno.readDir(statePath("images"))) {
    await importIntoNode(node, programs, statePath("images", name));
  }
}

async function nodeReady(node: NodeSettings): Promise<void> {
  const jsonpath = "{.spec.podCIDR} " +
    "{range .status.conditions[?(@.type=='Ready')]}{.status}: {.message}{end}";
  const get = ["get", "node", node.name, "-o", `jsonpath=${jsonpath}`];
  await waitFor(`ready ${node.name}`, async () => {
    await assertAlive(`${node.name}-kubelet`);
    const { stdout, stderr } = await bedKubectl(get);
    const [podRange, ready] = stdout.split(" ");
    if (podRange !== "" && podRange !== node.pods.ipv4 && stdout !== "") {
      throw new Error(
        `Cannot use ${node.name}: its pods got ${podRange} instead of ${node.pods.ipv4}; run "./dev cluster down"`,
      );
    }
    return ready === "True:" || (stderr || stdout).trim();
  });
}

async function startDns(): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items: corednsObjects() };
  await mustKubectl(bedKubectl, ["apply", "-f", "-"], {
    stdin: JSON.stringify(list),
  });
  const namespace = ["-n", "kube-system"];
  await mustKubectl(
    bedKubectl,
    [...namespace, "rollout", "status", "deployment/coredns", "--timeout=60s"],
    { timeoutMs: 70_000 },
  );
}

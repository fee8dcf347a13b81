import { join } from "node:path";
import { cgroupPids, killAll, makeCgroup, removeCgroup } from "./cgroup.ts";
import { must } from "./command.ts";
import type { Programs } from "./control_plane.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { inNetns, netnsExists, netnsPids, removeNetns } from "./netns.ts";
import {
  cniConfig,
  containerdConfig,
  containerdSocket,
  kubeletConfig,
  kubeletFlags,
  mountScript,
  nodeDirectories,
  nodePath,
  proxyFlags,
} from "./node_config.ts";
import { makeCertificate, nodeCertificate } from "./pki.ts";
import {
  assertAlive,
  livePid,
  startHolder,
  startProcess,
  stopProcess,
} from "./process.ts";
import type { NodeSettings } from "./settings.ts";
import { waitFor } from "./wait.ts";

/** Process names of a node, in the order in which they are stopped. */
export function nodeProcessNames(node: NodeSettings): string[] {
  return ["kube-proxy", "kubelet", "containerd", "mounts"].map((name) =>
    processName(node, name)
  );
}

function processName(node: NodeSettings, name: string): string {
  return `${node.name}-${name}`;
}

/** Writes a node's configuration, makes its mount namespace and starts its containerd; the kubelet comes later. */
export async function prepareNode(
  node: NodeSettings,
  programs: Programs,
): Promise<void> {
  await makeCgroup(node.cgroup);
  for (const directory of nodeDirectories(node)) {
    await Deno.mkdir(directory, { recursive: true });
  }
  await makeCertificate(nodeCertificate(node));
  await writeKubeconfig(nodePath(node, "kubelet.kubeconfig"), {
    file: node.name,
    user: `system:node:${node.name}`,
  });
  const cniBinDir = join(programs.debian, "usr/lib/cni");
  const files = {
    "containerd.toml": containerdConfig(node, cniBinDir),
    "cni/10-bed.conflist": JSON.stringify(cniConfig(node)),
    "kubelet.json": JSON.stringify(kubeletConfig(node)),
    "resolv.conf": "",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(nodePath(node, name), text);
  }
  await startHolder(
    processName(node, "mounts"),
    ["unshare", "--mount", "--propagation", "slave"],
    mountScript(),
  );
  await startInNode(node, programs, "containerd", [
    join(programs.debian, "usr/bin/containerd"),
    "--config",
    nodePath(node, "containerd.toml"),
  ]);
}

/** Starts the parts of a node that need the API server. */
export async function startNode(
  node: NodeSettings,
  programs: Programs,
): Promise<void> {
  const kubelet = [join(programs.bin, "kubelet"), ...kubeletFlags(node)];
  await startInNode(node, programs, "kubelet", kubelet);
  const proxy = [join(programs.bin, "kube-proxy"), ...proxyFlags(node)];
  await startInNode(node, programs, "kube-proxy", proxy);
}

/** Resolves when a node's containerd takes images. */
export async function containerdReady(
  node: NodeSettings,
  programs: Programs,
): Promise<void> {
  await waitFor(`containerd of ${node.name}`, async () => {
    await assertAlive(processName(node, "containerd"));
    return await must(ctr(node, programs, ["version"])).then(
      () => true as const,
      (error) => (error as Error).message,
    );
  });
}

/** Brings an image, as `docker save` writes it, into a node's store. */
export async function importIntoNode(
  node: NodeSettings,
  programs: Programs,
  tarPath: string,
): Promise<void> {
  const command = ["--namespace", "k8s.io", "images", "import", tarPath];
  await must(ctr(node, programs, command), { timeoutMs: 120_000 });
}

/** Ends all that runs on a node, pods included, and removes its cgroups and its network. */
export async function removeNode(node: NodeSettings): Promise<void> {
  for (const name of nodeProcessNames(node)) {
    if (!name.endsWith("-mounts")) await stopProcess(name);
  }
  await killAll(`the pods of ${node.name}`, () => cgroupPids(node.cgroup));
  if (await netnsExists(node.netns)) {
    await killAll(node.name, () => netnsPids(node.netns));
  }
  await stopProcess(processName(node, "mounts"));
  await removeCgroup(node.cgroup);
  await removeNetns(node.netns);
}

function ctr(
  node: NodeSettings,
  programs: Programs,
  argv: readonly string[],
): string[] {
  const path = join(programs.debian, "usr/bin/ctr");
  return [path, "--address", containerdSocket(node), ...argv];
}

async function startInNode(
  node: NodeSettings,
  programs: Programs,
  name: string,
  argv: readonly string[],
): Promise<void> {
  const holder = livePid(processName(node, "mounts"));
  const [, ...enter] = inNetns(node.netns, argv);
  const bin = join(programs.debian, "usr/bin");
  await startProcess({
    name: processName(node, name),
    argv: ["nsenter", `--mount=/proc/${holder}/ns/mnt`, ...enter],
    env: {
      // containerd looks up its shim and runc by PATH.
      PATH: `${bin}:${join(programs.debian, "usr/sbin")}:${
        Deno.env.get("PATH")
      }`,
    },
  });
}

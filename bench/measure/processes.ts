/** Which processes of this machine belong to what; all of it from /proc, so it needs root. */
import type { Cluster } from "../../tests/cluster/mod.ts";
import { must } from "../../tests/cluster/mod.ts";

/** All pids of this machine. */
async function allPids(): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name)) pids.push(Number(name));
  }
  return pids;
}

/** What a file of a process says; nothing if the process has ended. */
async function readOf(pid: number, file: string): Promise<string> {
  return await Deno.readTextFile(`/proc/${pid}/${file}`).catch(() => "");
}

/** The processes in a pod's containers; none if they run on another machine. */
export async function containerPids(
  { kubectl }: Cluster,
  { namespace, selector }: { namespace: string; selector: string },
): Promise<number[]> {
  const path = "{.items[*].status.containerStatuses[*].containerID}";
  const { stdout } = await kubectl(
    ["-n", namespace, "get", "pods", "-l", selector, "-o", `jsonpath=${path}`],
  );
  return await pidsOf(stdout.split(" "));
}

/** The processes in one container of a pod, which may be a sidecar; none if they run on another machine. */
export async function findPids(
  { kubectl }: Cluster,
  { namespace, selector, container }: {
    namespace: string;
    selector: string;
    container: string;
  },
): Promise<number[]> {
  const ids = ["initContainerStatuses", "containerStatuses"].map((statuses) =>
    `{.items[*].status.${statuses}[?(@.name=="${container}")].containerID}`
  );
  const { stdout } = await kubectl([
    ...["-n", namespace, "get", "pods", "-l", selector],
    ...["-o", `jsonpath=${ids.join(" ")}`],
  ]);
  return await pidsOf(stdout.split(" "));
}

async function pidsOf(containers: readonly string[]): Promise<number[]> {
  const ids = containers.flatMap((id) => id.split("//")[1] ?? []);
  const found: number[] = [];
  for (const pid of await allPids()) {
    const cgroup = await readOf(pid, "cgroup");
    if (ids.some((id) => cgroup.includes(id))) found.push(pid);
  }
  return found;
}

/** The parts of the bed's first node that a port-forward goes through, by their program's name. */
export async function nodePids(
  { nodes }: Cluster,
): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  const netns = nodes[0]?.netns;
  if (netns === undefined) return found;
  const pids = await must(["ip", "netns", "pids", netns]);
  for (const program of ["kube-apiserver", "kubelet", "containerd"]) {
    found.set(program, []);
    for (const pid of pids.trim().split("\n").map(Number)) {
      if ((await readOf(pid, "comm")).trim() === program) {
        found.get(program)!.push(pid);
      }
    }
  }
  return found;
}

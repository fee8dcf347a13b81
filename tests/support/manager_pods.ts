/** The pods of a manager of a test: which a laptop uses, and when a replaced one is ready. */
import assert from "node:assert/strict";
import type { Status } from "../../connector/api.ts";
import { type Cluster, waitFor } from "../cluster/mod.ts";
import type { Tp } from "./laptop_tp.ts";
import type { ManagerPlace } from "./manager_place.ts";

type ManagerState = NonNullable<Status["traffic_manager"]>;

/** What `tp status` tells of the manager and the way to it. */
export async function managerState(tp: Tp): Promise<ManagerState> {
  const status: Status = JSON.parse(
    await tp.ok(["status", "--output", "json"]),
  );
  return status.traffic_manager!;
}

/** A manager's process: which, and whether it is ready and stays. */
export interface Life {
  /** Differs when the pod was replaced, or its container started again. */
  readonly id: string;
  readonly isReady: boolean;
}

/** Of the process in a pod; `undefined` while there is none. */
export async function lifeOf(
  cluster: Cluster,
  { namespace }: ManagerPlace,
  pod: string,
): Promise<Life | undefined> {
  const { stdout } = await cluster.kubectl([
    ...["get", "pod", pod, "--namespace", namespace, "--output=json"],
    "--ignore-not-found",
  ]);
  if (stdout === "") return undefined;
  const { metadata, status } = JSON.parse(stdout);
  const [container] = status.containerStatuses ?? [];
  return {
    id: `${metadata.uid} ${container?.containerID}`,
    isReady: container?.ready === true && !metadata.deletionTimestamp,
  };
}

/** Waits until another process is ready in a pod of that name. */
export async function succeeded(
  cluster: Cluster,
  place: ManagerPlace,
  { pod, life }: { pod: string; life: Life },
): Promise<void> {
  await waitFor(`successor in ${pod}`, async () => {
    const next = await lifeOf(cluster, place, pod);
    return next?.isReady && next.id !== life.id || "it is not ready";
  }, { everyMs: 20 });
}

/** How a manager's process ends. */
export interface End {
  readonly name: string;
  bring(cluster: Cluster, place: ManagerPlace, pod: string): Promise<void>;
}

/** The ways in which the process in one pod ends. */
export const ends: End[] = [
  { name: "is told to leave", bring: byKubectl("delete", "--wait=false") },
  {
    name: "is deleted without grace",
    bring: byKubectl("delete", "--wait=false", "--grace-period=0", "--force"),
  },
  { name: "is killed", bring: killProcess },
];

function byKubectl(verb: string, ...flags: string[]): End["bring"] {
  return async ({ kubectl }, { namespace }, pod) => {
    const where = ["--namespace", namespace];
    const { code, stderr } = await kubectl(
      [verb, "pod", pod, ...where, ...flags],
    );
    assert.equal(code, 0, stderr);
  };
}

/** As the kernel does when memory runs out. */
async function killProcess(
  cluster: Cluster,
  place: ManagerPlace,
  pod: string,
): Promise<void> {
  for (const pid of await podProcesses(cluster, place, pod)) {
    Deno.kill(pid, "SIGKILL");
  }
}

/** Stops the process in a pod, until disposed of. */
export async function stopProcess(
  cluster: Cluster,
  place: ManagerPlace,
  pod: string,
): Promise<AsyncDisposable> {
  const pids = await podProcesses(cluster, place, pod);
  for (const pid of pids) Deno.kill(pid, "SIGSTOP");
  return {
    [Symbol.asyncDispose]() {
      for (const pid of pids) {
        try {
          Deno.kill(pid, "SIGCONT");
        } catch { /* the kubelet has ended it */ }
      }
      return Promise.resolve();
    },
  };
}

/** The processes in a pod. The bed's nodes are this machine. */
export async function podProcesses(
  cluster: Cluster,
  place: ManagerPlace,
  pod: string,
): Promise<number[]> {
  const life = await lifeOf(cluster, place, pod);
  const container = life?.id.split("//")[1] ?? "no container";
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const cgroup = await Deno.readTextFile(`/proc/${name}/cgroup`)
      .catch(() => "");
    if (cgroup.includes(container)) pids.push(Number(name));
  }
  assert.ok(pids.length > 0, `no process of ${pod} on this machine`);
  return pids;
}

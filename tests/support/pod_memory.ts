/** What processes of pods took at most. The bed's nodes are this machine. */
import assert from "node:assert/strict";
import type { Cluster } from "../cluster/mod.ts";

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
}

interface Pod {
  readonly status: {
    readonly containerStatuses?: ContainerStatus[];
    readonly initContainerStatuses?: ContainerStatus[];
  };
}

/** The most that a process of that container took so far, in any of the pods that a selector names; in MiB. */
export async function peakMiB(
  { kubectl }: Cluster,
  { namespace, selector, container }: {
    namespace: string;
    selector: string;
    container: string;
  },
): Promise<number> {
  const where = ["--namespace", namespace, "--selector", selector];
  const { code, stdout, stderr } = await kubectl(
    ["get", "pods", ...where, "--output=json"],
  );
  assert.equal(code, 0, stderr);
  const ids = (JSON.parse(stdout).items as Pod[])
    .flatMap(({ status }) => [
      ...status.containerStatuses ?? [],
      ...status.initContainerStatuses ?? [],
    ]).filter(({ name }) => name === container)
    .flatMap(({ containerID }) => containerID?.split("//")[1] ?? []);
  const peaks: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) =>
      Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
    const cgroup = await read("cgroup");
    if (!ids.some((id) => cgroup.includes(id))) continue;
    const kiB = /^VmHWM:\s+(\d+) kB$/m.exec(await read("status"))?.[1];
    peaks.push(Number(kiB) / 1024);
  }
  assert.ok(peaks.length > 0, `no process of ${container} on this machine`);
  return Math.round(Math.max(...peaks));
}

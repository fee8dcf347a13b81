/** Where and with what the figures were measured. */
import { type Cluster, type Laptop, run } from "../../tests/cluster/mod.ts";

export interface SetUp {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly deno: string;
  readonly kubernetes: string;
  readonly containerRuntime: string;
  readonly kubectl: string;
  readonly tp: string;
  /** Processes that wanted to run in the last minute, before the run. */
  readonly loadAverage: number;
}

export async function describeSetUp(
  { cluster, laptop, executable }: {
    cluster: Cluster;
    laptop: Laptop;
    executable: string;
  },
): Promise<SetUp> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const versions = JSON.parse(
    (await cluster.kubectl(["version", "-o", "json"])).stdout,
  );
  const runtime = "{.items[0].status.nodeInfo.containerRuntimeVersion}";
  const { stdout: containerRuntime } = await cluster.kubectl(
    ["get", "nodes", "-o", `jsonpath=${runtime}`],
  );
  const tp = await laptop.run([executable, "version"]).catch(() => undefined);
  const { stdout: cores } = await run(["nproc"]);
  return {
    cores: Number(cores),
    cpu: /^model name\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? Deno.build.arch,
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 1e9),
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
    kubernetes: versions.serverVersion.gitVersion,
    containerRuntime,
    kubectl: versions.clientVersion.gitVersion,
    tp: tp?.code === 0 ? tp.stdout.trim().replaceAll(/\s*\n\s*/g, ", ") : "-",
    loadAverage: Deno.loadavg()[0] ?? 0,
  };
}

export function formatSetUp(setUp: SetUp): string {
  return `${setUp.cores} cores (${setUp.cpu}), ${setUp.memoryGb} GB, Linux ${setUp.kernel}, Deno ${setUp.deno}
Kubernetes ${setUp.kubernetes}, ${setUp.containerRuntime}, kubectl ${setUp.kubectl}
tp: ${setUp.tp}
load average before the run: ${setUp.loadAverage.toFixed(2)}${
    setUp.loadAverage > 0.5
      ? " - THE MACHINE IS NOT QUIET, the figures are worth little"
      : ""
  }`;
}

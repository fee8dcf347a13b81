/**
 * `./dev bench outbound [--rounds=3] [--seconds=2] [--ways=direct,kubectl,session,tp] [--json]`: what `tp` costs beside a direct
 * connection to the pod and `kubectl port-forward`, measured in one run on the test bed.
 *
 * 1. The cluster with the servers of the benchmarks; two laptops, of which one reaches the pod by plain routing.
 * 2. On the other, `kubectl port-forward` and `tp` are connected all the time; what is not measured is idle.
 * 3. Rounds: each load on each way, in turn. Between two samples of /proc stands nothing but the load.
 * 4. An upload by iperf3 on both; memory at the end; the report.
 */
import { join } from "node:path";
import {
  appBinary,
  type Cluster,
  Laptop,
  openCluster,
  say,
} from "../tests/cluster/mod.ts";
import { formatReport, type Report } from "./outbound/report.ts";
import { measurements } from "./outbound/figures.ts";
import {
  type IperfResult,
  iperfUpload,
  iperfUploadByKubectl,
  restartIperf,
} from "./outbound/iperf.ts";
import { openClientPorts } from "./measure/client_ports.ts";
import { roundOptions, valueOf } from "./measure/options.ts";
import { describeSetUp } from "./measure/machine.ts";
import { executable, installManager } from "./measure/manager.ts";
import { nodePids } from "./measure/processes.ts";
import { describeFailures, runRounds } from "./measure/rounds.ts";
import { openServerPod, type ServerPod } from "./measure/server_pod.ts";
import { cpuCosts, summarize } from "./measure/summary.ts";
import { type Memory, sampleMemory } from "./measure/usage.ts";
import { openDirect } from "./ways/direct.ts";
import { openKubectl } from "./ways/kubectl.ts";
import { openSession } from "./ways/session.ts";
import { openTp } from "./ways/tp.ts";
import type { Way, WayName } from "./ways/way.ts";

/** In which the windows of TCP open. */
const settleMs = 300;

interface Options {
  readonly rounds: number;
  readonly durationMs: number;
  readonly ways: readonly WayName[];
  readonly json: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const ways = valueOf(args, "ways") ?? "direct,kubectl,tp";
  return { ...roundOptions(args), ways: ways.split(",") as WayName[] };
}

async function bench(options: Options): Promise<Report> {
  const { rounds, durationMs } = options;
  await using stack = new AsyncDisposableStack();
  const cluster = await openCluster();
  const pod = stack.use(await openServerPod(cluster));
  const laptop = stack.use(await Laptop.open(cluster));
  await openClientPorts(laptop);
  const setUp = await describeSetUp({ cluster, laptop, executable });

  const ways: Way[] = [];
  const open = async (name: WayName, way: () => Promise<Way>) => {
    if (options.ways.includes(name)) ways.push(stack.use(await way()));
  };
  if (cluster.isBed && options.ways.includes("direct")) {
    const other = stack.use(await Laptop.open(cluster));
    await open("direct", () => openDirect(other, pod.ip));
  }
  await open("kubectl", () => openKubectl(laptop, pod));
  if (options.ways.includes("session") || options.ways.includes("tp")) {
    const manager = stack.use(await installManager(cluster));
    const place = { laptop, manager, podIp: pod.ip };
    await open("session", () => openSession(place));
    await open("tp", () => openTp(place));
  }
  const before = await memoryOf(ways);
  const common = new Map<string, readonly number[]>(await nodePids(cluster))
    .set("bench pod", pod.pids);
  const tool = join(await appBinary(), "app");
  const { samples, breaks } = await runRounds(
    ways,
    {
      tool,
      measurements,
      rounds,
      timing: { settleMs, durationMs },
      common,
    },
  );
  const after = await memoryOf(ways);
  const iperf3Upload = await runIperf(cluster, { laptop, pod, ways });
  return {
    setUp,
    rounds,
    durationMs,
    lines: summarize(measurements, samples),
    iperf3Upload,
    memory: [...after].map(([process, memory]) => ({
      process,
      before: before.get(process)!,
      after: memory,
    })),
    cpu: cpuCosts(measurements, samples),
    failures: describeFailures(samples),
    breaks,
  };
}

async function runIperf(
  cluster: Cluster,
  { laptop, pod, ways }: {
    laptop: Laptop;
    pod: ServerPod;
    ways: readonly Way[];
  },
): Promise<Report["iperf3Upload"]> {
  say("bench: iperf3");
  const isOpen = (name: WayName) => ways.some((way) => way.name === name);
  const results: {
    -readonly [way in keyof Report["iperf3Upload"]]: IperfResult;
  } = {};
  await restartIperf(cluster, pod);
  if (isOpen("tp")) results.tp = await iperfUpload(laptop, pod.ip);
  if (isOpen("kubectl")) {
    results.kubectl = await iperfUploadByKubectl(laptop, pod);
  }
  await restartIperf(cluster, pod);
  return results;
}

async function memoryOf(
  ways: readonly Way[],
): Promise<Map<string, Memory>> {
  const found = new Map<string, Memory>();
  for (const [name, pids] of ways.flatMap((way) => [...way.processes])) {
    found.set(name, await sampleMemory(pids));
  }
  return found;
}

const options = parseOptions(Deno.args);
const report = await bench(options);
const text = options.json
  ? JSON.stringify(report, null, 2)
  : formatReport(report);
await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));

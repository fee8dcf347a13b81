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
  deployApp,
  Laptop,
  must,
  openCluster,
  say,
} from "../tests/cluster/mod.ts";
import { executable, installManager } from "./outbound/manager.ts";
import { measurements } from "./outbound/figures.ts";
import {
  type IperfResult,
  iperfUpload,
  iperfUploadByKubectl,
  restartIperf,
} from "./outbound/iperf.ts";
import { describeSetUp } from "./outbound/machine.ts";
import { containerPids, nodePids } from "./outbound/processes.ts";
import { formatReport, type Report } from "./outbound/report.ts";
import { runRounds } from "./outbound/rounds.ts";
import { cpuCosts, summarize } from "./outbound/summary.ts";
import { type Memory, sampleMemory } from "./outbound/usage.ts";
import type { Way, WayName } from "./outbound/way.ts";
import { openDirect } from "./outbound/way_direct.ts";
import { openKubectl } from "./outbound/way_kubectl.ts";
import { openSession } from "./outbound/way_session.ts";
import { openTp } from "./outbound/way_tp.ts";

/** Ports are many and soon free again: what is measured is not how long they rest. */
const sysctls = [
  "net.ipv4.ip_local_port_range=2048 65000",
  "net.ipv4.tcp_tw_reuse=1",
];

interface Options {
  readonly rounds: number;
  readonly durationMs: number;
  readonly ways: readonly WayName[];
  readonly json: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const value = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  return {
    rounds: Number(value("rounds") ?? 3),
    durationMs: Number(value("seconds") ?? 2) * 1000,
    ways: (value("ways") ?? "direct,kubectl,tp").split(",") as WayName[],
    json: args.includes("--json"),
  };
}

async function bench(options: Options): Promise<Report> {
  const { rounds, durationMs } = options;
  await using stack = new AsyncDisposableStack();
  const cluster = await openCluster();
  await deployApp(cluster);
  const pod = await benchPod(cluster);
  const laptop = stack.use(await Laptop.open(cluster));
  await must(laptop.command(["sysctl", "-qw", ...sysctls]));
  const setUp = await describeSetUp({ cluster, laptop, executable });

  const ways: Way[] = [];
  const open = async (name: WayName, way: () => Promise<Way>) => {
    if (options.ways.includes(name)) ways.push(stack.use(await way()));
  };
  if (cluster.isBed) await open("direct", () => openDirect(cluster, pod.ip));
  await open("kubectl", () => openKubectl(laptop, pod.name));
  if (options.ways.includes("session") || options.ways.includes("tp")) {
    const manager = stack.use(await installManager(cluster));
    const place = { laptop, manager, podIp: pod.ip };
    await open("session", () => openSession(place));
    await open("tp", () => openTp(place));
  }
  const before = await memoryOf(ways);
  const common = new Map(await nodePids(cluster))
    .set("bench pod", await containerPids(cluster, benchLabel));
  const tool = join(await appBinary(), "app");
  const { samples, breaks } = await runRounds(
    ways,
    { tool, rounds, durationMs, common },
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
    failures: samples.flatMap(({ way, measurement, failure, outcome }) => {
      const { kind, streams } = measurement.load;
      const what = `${way}, ${kind} x${streams}`;
      const { failed = 0, failure: last } = outcome?.result ?? {};
      if (failure !== undefined) return [`${what}: ${failure}`];
      return failed > 0 ? [`${what}: ${failed} connections: ${last}`] : [];
    }),
    breaks,
  };
}

async function runIperf(
  cluster: Cluster,
  { laptop, pod, ways }: {
    laptop: Laptop;
    pod: { name: string; ip: string };
    ways: readonly Way[];
  },
): Promise<Report["iperf3Upload"]> {
  say("bench: iperf3");
  const isOpen = (name: WayName) => ways.some((way) => way.name === name);
  const results: {
    -readonly [way in keyof Report["iperf3Upload"]]: IperfResult;
  } = {};
  await restartIperf(cluster);
  if (isOpen("tp")) results.tp = await iperfUpload(laptop, pod.ip);
  if (isOpen("kubectl")) {
    results.kubectl = await iperfUploadByKubectl(laptop, pod.name);
  }
  await restartIperf(cluster);
  return results;
}

const benchLabel = { namespace: "default", selector: "app=bench" };

async function benchPod(
  { kubectl }: Cluster,
): Promise<{ name: string; ip: string }> {
  const path = "{.items[0].metadata.name} {.items[0].status.podIP}";
  const { stdout } = await kubectl(
    ["get", "pods", "-l", benchLabel.selector, "-o", `jsonpath=${path}`],
  );
  const [name = "", ip = ""] = stdout.split(" ");
  return { name, ip };
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

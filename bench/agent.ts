/**
 * `./dev bench agent [--rounds=3] [--seconds=2] [--json]`: what an agent costs requests that are not intercepted, against
 * the same app without one, measured in one run on the test bed.
 *
 * 1. Three pods with the same app: `bare`; `agent`, whose agent has no rule; `match`, whose agent has to read all requests,
 *    as an intercept wants some that do not come.
 * 2. A laptop reaches them by plain routing; another one holds the intercept.
 * 3. Rounds: each load on each pod, in turn. Memory before and after; the report.
 */
import { join } from "node:path";
import {
  appBinary,
  type Cluster,
  Laptop,
  openCluster,
  say,
} from "../tests/cluster/mod.ts";
import {
  type App,
  deployApps,
  findApps,
  interceptApps,
  urlOf,
} from "./agent/apps.ts";
import { type AgentLoad, loads } from "./agent/loads.ts";
import {
  type AgentReport,
  type AgentSample,
  formatReport,
} from "./agent/report.ts";
import { openClientPorts } from "./measure/client_ports.ts";
import { roundOptions } from "./measure/options.ts";
import { describeSetUp } from "./measure/machine.ts";
import { executable, installManager } from "./measure/manager.ts";
import { openServerPod } from "./measure/server_pod.ts";
import { cpuBetween, sampleCpu, sampleMemory } from "./measure/usage.ts";

const settleMs = 300;

interface Options {
  readonly rounds: number;
  readonly durationMs: number;
  readonly json: boolean;
}

async function bench({ rounds, durationMs }: Options): Promise<AgentReport> {
  await using stack = new AsyncDisposableStack();
  const cluster = await openCluster();
  const laptop = stack.use(await Laptop.open(cluster));
  const holder = stack.use(await Laptop.open(cluster));
  await openClientPorts(laptop);
  const setUp = await describeSetUp({ cluster, laptop, executable });
  const apps = await openApps({ cluster, laptop, holder, stack });
  const before = await memoryOf(apps);
  const tool = join(await appBinary(), "app");
  const samples: AgentSample[] = [];
  // Round -1 warms up and is forgotten.
  for (let round = -1; round < rounds; round++) {
    say(round < 0 ? "bench: warming up" : `bench: round ${round + 1}`);
    for (const load of loads) {
      // What comes after something has its traces: each goes first in turn.
      const inTurn = round % 2 === 0 ? apps : [...apps].reverse();
      for (const app of inTurn) {
        const place = { laptop, tool, round, durationMs };
        const sample = await measure(app, { load, ...place });
        if (round >= 0) samples.push(sample);
      }
    }
  }
  const after = await memoryOf(apps);
  const memory = [...after].map(([app, memory]) => ({
    ...{ app: app.name, before: before.get(app)!, after: memory },
  }));
  return { setUp, rounds, durationMs, samples, memory };
}

async function openApps(
  { cluster, laptop, holder, stack }: {
    cluster: Cluster;
    laptop: Laptop;
    holder: Laptop;
    stack: AsyncDisposableStack;
  },
): Promise<App[]> {
  const { namespace } = stack.use(await openServerPod(cluster));
  await deployApps(cluster, namespace);
  const manager = stack.use(await installManager(cluster));
  stack.use(await interceptApps(holder, { manager, namespace }));
  stack.use(await laptop.openDirectPath());
  return await findApps(cluster, namespace);
}

async function measure(
  app: App,
  { load, laptop, tool, round, durationMs }: {
    load: AgentLoad;
    laptop: Laptop;
    tool: string;
    round: number;
    durationMs: number;
  },
): Promise<AgentSample> {
  const processes = new Map([["agent", app.agentPids]]);
  const before = await sampleCpu(processes);
  const [kind = "", ...args] = load.args;
  const { code, stdout, stderr } = await laptop.run([
    ...[tool, "load", kind, `-url=${urlOf(app, load.path)}`, ...args],
    ...[`-settle=${settleMs}ms`, `-time=${Math.round(durationMs)}ms`],
  ], { timeoutMs: settleMs + durationMs + 30_000 });
  const { groups, seconds } = cpuBetween(before, await sampleCpu(processes));
  const base = { load, app: app.name, round, seconds };
  const agentSeconds = groups.get("agent") ?? 0;
  return code === 0
    ? { ...base, agentSeconds, outcome: JSON.parse(stdout) }
    : { ...base, agentSeconds, failure: stderr.trim() };
}

async function memoryOf(apps: readonly App[]) {
  const agents = apps.filter(({ agentPids }) => agentPids.length > 0);
  return new Map(
    await Promise.all(
      agents.map(async (app) =>
        [app, await sampleMemory(app.agentPids)] as const
      ),
    ),
  );
}

const options = roundOptions(Deno.args);
const report = await bench(options);
const text = options.json
  ? JSON.stringify(report, null, 2)
  : formatReport(report);
await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));

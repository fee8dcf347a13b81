/** One cell of the grid, measured. */
import { say } from "../../tests/cluster/mod.ts";
import { nameOf } from "../measure/load.ts";
import type { BenchManager } from "../measure/manager.ts";
import { type Break, describeFailures, runRounds } from "../measure/rounds.ts";
import {
  type CpuCost,
  cpuCosts,
  type Line,
  summarize,
} from "../measure/summary.ts";
import type { Processes } from "../measure/usage.ts";
import { openKubectl } from "../ways/kubectl.ts";
import { openTp } from "../ways/tp.ts";
import type { Way, WayName } from "../ways/way.ts";
import { type Cell, measurementsOf, timingOf, warmUp } from "./cell.ts";
import type { MeasuredLink, Place } from "./place.ts";

export interface CellReport {
  readonly cell: Cell;
  readonly link: MeasuredLink;
  readonly lines: readonly Line[];
  readonly cpu: readonly CpuCost[];
  /** How long it took until the way was open. */
  readonly openMs: Partial<Record<WayName, number>>;
  readonly failures: readonly string[];
  readonly breaks: readonly Break[];
  /** Transfers whose rest was given up, by the names of way and load. */
  readonly cuts: readonly string[];
}

/** What is the same in all cells. */
export interface GridSetUp {
  readonly place: Place;
  readonly manager: BenchManager;
  /** One with a direct endpoint for the third laptop. */
  readonly directManager: BenchManager;
  readonly ways: readonly WayName[];
  readonly tool: string;
  readonly durationMs: number;
  readonly common: Processes;
}

/** How to open each way of the grid; its order is that of the measurements. */
const openers: Partial<
  Record<WayName, (setUp: GridSetUp) => Promise<Way>>
> = {
  direct: ({ place }) => place.openDirect(),
  kubectl: ({ place }) => openKubectl(place.laptop, place.pod),
  tp: ({ place, manager }) =>
    openTp({ laptop: place.laptop, manager, podIp: place.pod.ip }),
  "tp-direct": ({ place, directManager: manager }) =>
    openTp({
      ...{ laptop: place.third, manager, podIp: place.pod.ip },
      isDirect: true,
    }),
};

export const gridWays = Object.keys(openers) as WayName[];

/** Opens the ways anew, so that none of them brings along what it learnt of another link. */
export async function measureCell(
  setUp: GridSetUp,
  cell: Cell,
): Promise<CellReport> {
  const { place, tool, durationMs, common } = setUp;
  say(`bench: link: ${cell.name}`);
  await place.shape(cell);
  const measurements = measurementsOf(cell);
  const openMs: CellReport["openMs"] = {};
  let rounds: Awaited<ReturnType<typeof runRounds>> | undefined;
  const link = await place.watch(cell, async () => {
    await using stack = new AsyncDisposableStack();
    const ways: Way[] = [];
    for (const name of gridWays) {
      if (!setUp.ways.includes(name)) continue;
      const startMs = performance.now();
      ways.push(stack.use(await openers[name]!(setUp)));
      openMs[name] = performance.now() - startMs;
    }
    rounds = await runRounds(ways, {
      tool,
      measurements,
      warmUp: cell.lossPercent > 0 ? [] : warmUp,
      rounds: cell.rounds,
      timing: timingOf(cell, durationMs),
      common: new Map(common).set("wan", place.wanPids),
      quietUs: (cell.rttMs * 1.25 + 10) * 1000,
    });
  });
  const { samples, breaks } = rounds!;
  return {
    cell,
    link,
    lines: summarize(measurements, samples),
    cpu: cpuCosts(measurements, samples),
    openMs,
    failures: describeFailures(samples),
    breaks,
    cuts: samples.flatMap(({ way, measurement: { load }, outcome }) =>
      outcome?.cut ? [`${way}, ${nameOf(load)}`] : []
    ),
  };
}

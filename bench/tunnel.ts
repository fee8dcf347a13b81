/**
 * `./dev bench tunnel [--rtt=0,20,80] [--loss=0,1,3] [--ways=direct,kubectl,tp,tp-direct] [--seconds=1] [--rounds=3]
 * [--rate=300] [--json]`: what becomes of `tp`, through the API server and by the manager's direct endpoint, beside a
 * direct connection and `kubectl port-forward` when the way to the cluster is long and loses, on the real cluster, in one
 * run.
 *
 * 1. The cluster with the servers of the benchmarks and two managers of this run's own, one of them with a direct
 *    endpoint; three laptops.
 * 2. The bare link, then one with a wan in it for each round trip and loss. In each of them its round trip and loss are
 *    measured, the ways are opened, and each load is put on each way in turn.
 * 3. The verdicts: what is asked, what is.
 *
 * Text is printed as soon as it is known, link by link, so that a run that is cut has told what it measured; JSON is one
 * document at the end.
 */
import { join } from "node:path";
import { appBinary, openCluster } from "../tests/cluster/mod.ts";
import { valueOf } from "./measure/options.ts";
import { describeSetUp } from "./measure/machine.ts";
import { executable, installManager } from "./measure/manager.ts";
import { nodePids } from "./measure/processes.ts";
import { cellsOf, type Grid } from "./tunnel/cell.ts";
import {
  type CellReport,
  gridWays,
  measureCell,
} from "./tunnel/cell_report.ts";
import { Place, settlePod } from "./tunnel/place.ts";
import {
  formatCell,
  formatEnd,
  formatHead,
  type GridReport,
} from "./tunnel/report.ts";
import { judge } from "./tunnel/targets.ts";
import type { WayName } from "./ways/way.ts";

interface Options {
  readonly grid: Grid;
  readonly ways: readonly WayName[];
  readonly durationMs: number;
  readonly json: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const value = (name: string, otherwise: string) =>
    valueOf(args, name) ?? otherwise;
  const numbers = (text: string) =>
    text.split(",").map(Number).sort((a, b) => a - b);
  const wanted = value("ways", gridWays.join(",")).split(",");
  return {
    grid: {
      rttMs: numbers(value("rtt", "0,20,80")),
      lossPercent: numbers(value("loss", "0,1,3")),
      rateMbit: Number(value("rate", "300")),
      rounds: Number(value("rounds", "3")),
    },
    ways: gridWays.filter((name) => wanted.includes(name)),
    durationMs: Number(value("seconds", "1")) * 1000,
    json: args.includes("--json"),
  };
}

/** @param tell Is given each part of the text when it is known. */
async function bench(
  options: Options,
  tell: (text: string) => Promise<void>,
): Promise<GridReport> {
  const { ways, durationMs, grid } = options;
  const startMs = performance.now();
  const cluster = await openCluster();
  await using stack = new AsyncDisposableStack();
  const manager = stack.use(await installManager(cluster));
  const place = stack.use(await Place.open(cluster));
  const direct = {
    endpoint: place.directEndpoint(),
    service: "NodePort",
  } as const;
  const directManager = stack.use(await installManager(cluster, { direct }));
  await settlePod({ pids: await directManager.findPids() });
  const setUp = await describeSetUp({
    cluster,
    laptop: place.laptop,
    executable,
  });
  const common = new Map<string, readonly number[]>(await nodePids(cluster))
    .set("bench pod", place.pod.pids);
  const tool = join(await appBinary(), "app");
  const head = { setUp, durationMs, ways };
  await tell(formatHead(head));
  const cells: CellReport[] = [];
  for (const cell of cellsOf(grid)) {
    const all = {
      ...{ place, manager, directManager, ways },
      ...{ tool, durationMs, common },
    };
    const found = await measureCell(all, cell);
    cells.push(found);
    await tell(formatCell(found, { ways, cells }));
  }
  const end = {
    verdicts: judge(cells),
    tookSeconds: (performance.now() - startMs) / 1000,
  };
  await tell(formatEnd(end));
  return { ...head, cells, ...end };
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

const options = parseOptions(Deno.args);
const report = await bench(
  options,
  options.json ? async () => {} : (text) => print(`${text}\n`),
);
if (options.json) await print(JSON.stringify(report, null, 2));

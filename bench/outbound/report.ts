/** The report as text. */
import type { Target } from "./figures.ts";
import type { IperfResult } from "./iperf.ts";
import { formatSetUp, type SetUp } from "./machine.ts";
import type { Spread } from "./ratio.ts";
import type { Break } from "./rounds.ts";
import type { CpuCost, Line } from "./summary.ts";
import type { Memory } from "./usage.ts";
import { table } from "../table.ts";

/** All that is known at the end of a run, as `--json` prints it. */
export interface Report {
  readonly setUp: SetUp;
  readonly rounds: number;
  readonly durationMs: number;
  readonly lines: readonly Line[];
  readonly iperf3Upload: {
    readonly tp?: IperfResult;
    readonly kubectl?: IperfResult;
  };
  readonly memory: readonly {
    readonly process: string;
    /** Connected, nothing moved yet. */
    readonly before: Memory;
    readonly after: Memory;
  }[];
  readonly cpu: readonly CpuCost[];
  /** Loads that failed, and ways that broke and had to be opened again. */
  readonly failures: readonly string[];
  readonly breaks: readonly Break[];
}

export function formatReport(report: Report): string {
  const { rounds, durationMs, failures, breaks, iperf3Upload } = report;
  const parts = [
    formatSetUp(report.setUp),
    `${rounds} rounds, about ${
      durationMs / 1000
    } s each; medians; the ratio is tp / kubectl, round by round`,
    table(figureRows(report)),
    `memory, MB\n${table(memoryRows(report))}`,
    `CPU seconds per Gbit moved (mean)\n${table(cpuRows(report.cpu))}`,
  ];
  for (const [way, { detail }] of Object.entries(iperf3Upload)) {
    if (detail) parts.push(`iperf3 through ${way}: ${detail}`);
  }
  if (failures.length > 0) parts.push(`failed:\n${bullets(failures)}`);
  if (breaks.length > 0) {
    const lines = breaks.map(({ way, during, said }) =>
      `${way}, after ${during}: ${said}`
    );
    parts.push(`broke and was opened again:\n${bullets(lines)}`);
  }
  return parts.join("\n\n");
}

function figureRows({ lines, iperf3Upload }: Report): string[][] {
  const ways = (["direct", "kubectl", "session", "tp"] as const)
    .filter((way) => lines.some((line) => line.ways[way]));
  const header = ["", "", ...ways, "ratio", "min..max"];
  const rows = lines.map((line) => [
    line.name,
    line.unit,
    ...ways.map((way) => digits(line.ways[way]?.median)),
    digits(line.ratio?.median, 2),
    range(line.ratio),
    line.target === undefined ? "" : formatTarget(line.target),
    line.isMet === undefined ? "" : line.isMet ? "met" : "missed",
  ]);
  const iperf = [
    "upload by iperf3",
    "Gbit/s",
    ...ways.map((way) =>
      way === "kubectl" || way === "tp" ? formatIperf(iperf3Upload[way]) : ""
    ),
    "",
    "",
    "finishes",
    iperf3Upload.tp?.finishes ? "met" : "missed",
  ];
  return [[...header, "target", ""], ...rows, iperf];
}

function formatIperf(result: IperfResult | undefined): string {
  if (result === undefined) return "-";
  return result.finishes ? digits(result.gbitPerSecond) : "breaks";
}

function formatTarget(target: Target): string {
  return "atLeast" in target ? `>= ${target.atLeast}` : `<= ${target.atMost}`;
}

function memoryRows({ memory }: Report): string[][] {
  return [
    ["", "RSS idle", "PSS idle", "RSS after", "PSS after", "RSS peak"],
    ...memory.map(({ process, before, after }) => [
      process,
      ...[before.rssMb, before.pssMb, after.rssMb, after.pssMb]
        .concat(after.peakRssMb).map((value) => value.toFixed(0)),
    ]),
  ];
}

function cpuRows(costs: readonly CpuCost[]): string[][] {
  const groups = [
    ...new Set(costs.flatMap((cost) => Object.keys(cost.groups))),
  ];
  return [
    ["", "", ...groups, "load tool", "rest", "busy cores", "stolen"],
    ...costs.map((cost) => [
      cost.load,
      cost.way,
      ...groups.map((name) => cost.groups[name]?.toFixed(3) ?? ""),
      cost.loadTool.toFixed(3),
      cost.rest.toFixed(3),
      cost.busyCores.toFixed(2),
      `${(cost.stolenShare * 100).toFixed(0)} %`,
    ]),
  ];
}

/** Three significant digits, or as many after the point as told. */
function digits(value: number | undefined, fraction?: number): string {
  if (value === undefined) return "-";
  if (fraction !== undefined) return value.toFixed(fraction);
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

function range(found: Spread | undefined): string {
  return found ? `${digits(found.min, 2)}..${digits(found.max, 2)}` : "";
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}

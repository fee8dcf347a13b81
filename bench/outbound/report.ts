/** The report as text. */
import type { Target } from "../measure/figure.ts";
import type { IperfResult } from "./iperf.ts";
import { formatSetUp, type SetUp } from "../measure/machine.ts";
import type { Break } from "../measure/rounds.ts";
import type { CpuCost, Line } from "../measure/summary.ts";
import { formatCpu } from "../measure/cpu_text.ts";
import { bullets, digits, range, table } from "../measure/table.ts";
import type { Memory } from "../measure/usage.ts";
import { wayNames } from "../ways/way.ts";

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
    `CPU seconds per Gbit moved (mean)\n${formatCpu(report.cpu)}`,
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
  const ways = wayNames
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

/** The grid as text. */
import type { Target } from "../measure/figure.ts";
import { formatSetUp, type SetUp } from "../measure/machine.ts";
import type { Spread } from "../measure/ratio.ts";
import { formatCpu } from "../measure/cpu_text.ts";
import { bullets, digits, table } from "../measure/table.ts";
import type { WayName } from "../ways/way.ts";
import type { CellReport } from "./cell_report.ts";
import type { MeasuredLink } from "./place.ts";
import type { Verdict } from "./targets.ts";

/** What is known before the first link. */
export interface GridHead {
  readonly setUp: SetUp;
  readonly durationMs: number;
  readonly ways: readonly WayName[];
}

/** What is known after the last one. */
export interface GridEnd {
  readonly verdicts: readonly Verdict[];
  readonly tookSeconds: number;
}

/** All that is known at the end of a run, as `--json` prints it. */
export interface GridReport extends GridHead, GridEnd {
  readonly cells: readonly CellReport[];
}

export function formatHead({ setUp, durationMs }: GridHead): string {
  return `${formatSetUp(setUp)}\n\n${durationMs / 1000} s each`;
}

export function formatEnd({ verdicts, tookSeconds }: GridEnd): string {
  const took = `the whole took ${(tookSeconds / 60).toFixed(1)} minutes`;
  return verdicts.length > 0
    ? `${table(verdictRows(verdicts))}\n\n${took}`
    : took;
}

/** @param cells Those that are measured, this one included. */
export function formatCell(
  found: CellReport,
  { ways, cells }: Pick<GridReport, "ways" | "cells">,
): string {
  const { cell, link, lines, cpu, openMs, failures, breaks, cuts } = found;
  const base = cells.find(({ cell }) =>
    cell.wan !== undefined && cell.rttMs === 0 && cell.lossPercent === 0
  );
  const header = ["", "", ...ways, "tp/kubectl", "tp/direct", "of own 0 ms"]
    .concat("tp-direct/kubectl");
  const rows = lines.map((line) => {
    const own = base?.lines.find(({ name }) => name === line.name)?.ways.tp;
    return [
      line.name,
      line.unit,
      ...ways.map((way) => digits(line.ways[way]?.median)),
      digits(line.ratio?.median, 2),
      ratio(line.ways.tp, line.ways.direct),
      found === base || line.unit === "us" ? "" : ratio(line.ways.tp, own),
      ratio(line.ways["tp-direct"], line.ways.kubectl),
    ];
  });
  const opened = Object.entries(openMs)
    .map(([way, ms]) => `${way} ${digits(ms / 1000)} s`).join(", ");
  const parts = [
    `=== ${cell.name}`,
    formatLink(link),
    `opened: ${opened}`,
    table([header, ...rows]),
  ];
  // A link that loses carries too little for the clock of the CPUs, which ticks a hundred times a second.
  if (cell.lossPercent === 0) {
    parts.push(`CPU seconds per Gbit moved\n${formatCpu(cpu)}`);
  }
  if (failures.length > 0) parts.push(`failed:\n${bullets(failures)}`);
  if (breaks.length > 0) {
    const said = breaks.map(({ way, during, said }) =>
      `${way}, after ${during}: ${said}`
    );
    parts.push(`broke and was opened again:\n${bullets(said)}`);
  }
  if (cuts.length > 0) parts.push(`cut at the end:\n${bullets(cuts)}`);
  return parts.join("\n");
}

/** The wan's own numbers. */
function formatLink(
  { roundTrips, counts }: MeasuredLink,
): string {
  const { medianMs, minMs, maxMs, lostPercent, sent } = roundTrips;
  const measured = `measured: round trip ${digits(medianMs)} ms (${
    digits(minMs)
  }..${digits(maxMs)}), ${lostPercent.toFixed(2)} % of ${sent} lost`;
  if (counts === undefined) return measured;
  const ways = (["up", "down"] as const).map((way) => {
    const { passed, bytes, lost, tailDropped, failed } = counts[way];
    const share = lost / (passed + lost || 1) * 100;
    return `${way} ${digits(bytes * 8 / 1e9)} Gbit in ${passed} frames, ${
      share.toFixed(2)
    } % lost, ${tailDropped} found the queue full, ${failed} failed`;
  });
  return `${measured}\nwan of kubectl and tp: ${ways.join("; ")}`;
}

function verdictRows(verdicts: readonly Verdict[]): string[][] {
  return [
    ["link", "target", "is", "asked", ""],
    ...verdicts.map(({ cell, name, value, target, isMet }) => [
      cell,
      name,
      digits(value, 2),
      formatTarget(target),
      value === undefined ? "not measured" : isMet ? "met" : "missed",
    ]),
  ];
}

function formatTarget(target: Target): string {
  return "atLeast" in target
    ? `>= ${Number(target.atLeast.toFixed(3))}`
    : `<= ${Number(target.atMost.toFixed(3))}`;
}

function ratio(value: Spread | undefined, base: Spread | undefined): string {
  return value && base ? digits(value.median / base.median, 2) : "-";
}

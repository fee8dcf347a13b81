/** What is asked of `tp`, and whether it is so. */
import { isMet, type Target } from "../measure/figure.ts";
import type { WayName } from "../ways/way.ts";
import type { CellReport } from "./cell_report.ts";

/** One target, held against one cell. */
export interface Verdict {
  readonly cell: string;
  readonly name: string;
  /** Absent if it was not measured. */
  readonly value?: number;
  readonly target: Target;
  readonly isMet: boolean;
}

type Question = readonly [
  name: string,
  value: number | undefined,
  target: Target,
];

/** The verdicts on all cells that something is asked of: those without loss. */
export function judge(reports: readonly CellReport[]): Verdict[] {
  const base = reports.find(({ cell }) => isPlain(cell) && cell.wan) ??
    reports.find(({ cell }) => isPlain(cell));
  return reports.flatMap((report) => {
    const { cell } = report;
    const questions = cell.lossPercent > 0
      ? []
      : cell.wan === undefined
      ? againstKubectl(report)
      : cell.rttMs > 0
      ? overDistance(report, base)
      : [];
    return questions.map(([name, value, target]) => ({
      cell: cell.name,
      name,
      ...(value === undefined ? {} : { value }),
      target,
      isMet: value !== undefined && isMet(target, value),
    }));
  });
}

/** At 0 ms, as ratios to `kubectl port-forward` as it comes. */
function againstKubectl(report: CellReport): Question[] {
  const ratio = (name: string) => lineOf(report, name)?.ratio?.median;
  const questions: Question[] = [];
  const ask = (name: string, target: Target, value = ratio(name)) =>
    questions.push([name, value, target]);
  ask("download, 1 stream", { atLeast: 1 });
  ask("upload, 1 stream", { atLeast: 0.8 });
  ask("download, 8 streams", { atLeast: 1.2 });
  ask("upload, 8 streams", { atLeast: 1.2 });
  for (const direction of ["download", "upload"]) {
    for (const streams of ["1 stream", "8 streams"]) {
      const name = `${direction}, ${streams}`;
      const [own, other] = [
        valueOf(report, name, "tp-direct"),
        valueOf(report, name, "kubectl"),
      ];
      const value = own && other && own / other;
      ask(`${name}, by the direct endpoint`, { atLeast: 1.5 }, value);
    }
  }
  ask("request p50, idle", { atMost: 1.15 });
  ask("connections, 16 in flight", { atLeast: 4 });
  for (const beside of ["beside 1 download", "beside 8 downloads"]) {
    const name = `request p99, ${beside}`;
    ask(name, { atMost: 1 / 8 });
    const us = valueOf(report, name, "tp");
    ask(`${name}, ms`, { atMost: 10 }, us && us / 1000);
  }
  for (const load of ["down x1", "up x1"]) {
    const [own, other] = [
      cpuOf(report, load, "tp")?.["connector"],
      cpuOf(report, load, "kubectl")?.["kubectl"],
    ];
    const value = own && other && own / other;
    ask(`connector's CPU per Gbit, ${load}`, { atMost: 1 }, value);
  }
  return questions;
}

/** At a distance, as shares of what `tp` does without it, or of what the link gives a plain connection. */
function overDistance(
  report: CellReport,
  base: CellReport | undefined,
): Question[] {
  const tp = (name: string) => valueOf(report, name, "tp");
  const best = (name: string) => {
    const bounds = [
      base && valueOf(base, name, "tp"),
      valueOf(report, name, "direct"),
    ].filter((value) => value !== undefined);
    return bounds.length === 0 ? undefined : Math.min(...bounds);
  };
  const share = (name: string, of = name) => {
    const [value, bound] = [tp(name), best(of)];
    return value && bound && value / bound;
  };
  const times = (value: number | undefined, unit: number | undefined) =>
    value && unit && value / unit;
  const rttUs = report.link.roundTrips.medianMs * 1000;
  const questions: Question[] = [
    ...["download, 1 stream", "upload, 1 stream"].map((name) =>
      [
        `${name}, of its own at 0 ms or the link`,
        share(name),
        { atLeast: 0.9 },
      ] as const
    ),
    [
      "a new connection, in round trips",
      times(tp("connections, 16 in flight, p50"), rttUs),
      { atMost: 2.2 },
    ],
  ];
  const besides = [
    ["beside 1 download", "that download", "download, 1 stream"],
    ["beside 8 downloads", "those 8 downloads", "download, 8 streams"],
  ] as const;
  for (const [beside, bulk, alone] of besides) {
    questions.push(
      [
        `request p99 ${beside}, of the idle one`,
        times(tp(`request p99, ${beside}`), tp("request p99, idle")),
        { atMost: 2 },
      ],
      [
        `${bulk}, of its own at 0 ms or the link`,
        share(bulk, alone),
        { atLeast: 0.8 },
      ],
    );
  }
  return questions;
}

function isPlain({ rttMs, lossPercent }: CellReport["cell"]): boolean {
  return rttMs === 0 && lossPercent === 0;
}

function lineOf({ lines }: CellReport, name: string) {
  return lines.find((line) => line.name === name);
}

function valueOf(
  report: CellReport,
  name: string,
  way: WayName,
): number | undefined {
  return lineOf(report, name)?.ways[way]?.median;
}

function cpuOf({ cpu }: CellReport, load: string, way: WayName) {
  return cpu.find((cost) => cost.load === load && cost.way === way)?.groups;
}

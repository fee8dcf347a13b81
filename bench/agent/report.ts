/** What came of it, as text. */
import { formatSetUp, type SetUp } from "../measure/machine.ts";
import { ratios, spread } from "../measure/ratio.ts";
import { bullets, digits, range, table } from "../measure/table.ts";
import type { LoadOutcome } from "../measure/load.ts";
import type { Memory } from "../measure/usage.ts";
import { type AppName, appNames } from "./apps.ts";
import { type AgentLoad, loads } from "./loads.ts";

/** One load on one app. */
export interface AgentSample {
  readonly load: AgentLoad;
  readonly app: AppName;
  /** From 0. */
  readonly round: number;
  readonly outcome?: LoadOutcome;
  readonly failure?: string;
  /** Of the agent, while it was under load; of the settling, too. */
  readonly agentSeconds: number;
  readonly seconds: number;
}

export interface AgentReport {
  readonly setUp: SetUp;
  readonly rounds: number;
  readonly durationMs: number;
  readonly samples: readonly AgentSample[];
  readonly memory: readonly {
    readonly app: AppName;
    readonly before: Memory;
    readonly after: Memory;
  }[];
}

export function formatReport(report: AgentReport): string {
  const { setUp, rounds, durationMs, samples } = report;
  const failures = samples.flatMap(({ load, app, failure }) =>
    failure === undefined ? [] : [`${app}, ${load.name}: ${failure}`]
  );
  const parts = [
    formatSetUp(setUp),
    `${rounds} rounds, about ${
      durationMs / 1000
    } s each; medians; ratios to the app without an agent, round by round`,
    table(figureRows(samples)),
    `cores that the agent keeps busy (mean)\n${table(cpuRows(samples))}`,
    `memory of the agent, MB\n${table(memoryRows(report))}`,
  ];
  if (failures.length > 0) parts.push(`failed:\n${bullets(failures)}`);
  return parts.join("\n\n");
}

function figureRows(samples: readonly AgentSample[]): string[][] {
  const header = ["", "", "bare"];
  for (const name of appNames.slice(1)) header.push(name, "ratio", "min..max");
  const rows = loads.flatMap((load) =>
    load.figures.map(({ name, unit, read }) => {
      const valuesOf = (app: AppName) =>
        samples.filter((one) => one.load === load && one.app === app)
          .map(({ outcome }) => outcome && read(outcome.result));
      const median = (app: AppName) =>
        digits(
          spread(valuesOf(app).filter((one) => one !== undefined))
            ?.median,
        );
      const row = [name, unit, median("bare")];
      for (const app of appNames.slice(1)) {
        const ratio = spread(ratios(valuesOf(app), valuesOf("bare")));
        row.push(median(app), digits(ratio?.median, 2), range(ratio));
      }
      return row;
    })
  );
  return [header, ...rows];
}

function cpuRows(samples: readonly AgentSample[]): string[][] {
  const rows = loads.map((load) => [
    load.name,
    ...appNames.slice(1).map((app) => {
      const chosen = samples.filter((one) =>
        one.load === load && one.app === app
      );
      const sum = (read: (sample: AgentSample) => number) =>
        chosen.reduce((total, sample) => total + read(sample), 0);
      const cores = sum((one) => one.agentSeconds) /
        sum((one) => one.seconds);
      return digits(cores, 2);
    }),
  ]);
  return [["", ...appNames.slice(1)], ...rows];
}

function memoryRows({ memory }: AgentReport): string[][] {
  return [
    ["", "RSS idle", "PSS idle", "RSS after", "PSS after", "RSS peak"],
    ...memory.map(({ app, before, after }) => [
      app,
      ...[before.rssMb, before.pssMb, after.rssMb, after.pssMb]
        .concat(after.peakRssMb).map((value) => value.toFixed(0)),
    ]),
  ];
}

/** What the rounds come to. */
import { type Figure, isMet, type Measurement } from "./figure.ts";
import { ratios, type Spread, spread } from "./ratio.ts";
import type { Sample } from "./rounds.ts";
import { type WayName, wayNames } from "../ways/way.ts";

/** One figure of all ways. */
export interface Line {
  readonly name: string;
  readonly unit: Figure["unit"];
  readonly ways: Partial<Record<WayName, Spread>>;
  /** `tp` / `kubectl`, round by round. */
  readonly ratio?: Spread;
  readonly target?: Figure["target"];
  /** Whether the median ratio meets the target. */
  readonly isMet?: boolean;
}

export function summarize(
  measurements: readonly Measurement[],
  samples: readonly Sample[],
): Line[] {
  return measurements.flatMap((measurement) =>
    measurement.figures.map((figure) => {
      const valuesOf = (way: WayName) =>
        samples
          .filter((one) => one.measurement === measurement && one.way === way)
          .map(({ outcome }) => outcome && figure.read(outcome.result));
      return line(figure, valuesOf);
    })
  );
}

function line(
  figure: Figure,
  valuesOf: (way: WayName) => (number | undefined)[],
): Line {
  const { name, unit, target } = figure;
  const ways: Partial<Record<WayName, Spread>> = {};
  for (const way of wayNames) {
    const found = spread(valuesOf(way).filter((value) => value !== undefined));
    if (found) ways[way] = found;
  }
  const ratio = spread(ratios(valuesOf("tp"), valuesOf("kubectl")));
  return {
    name,
    unit,
    ways,
    ...(ratio && { ratio }),
    ...(target &&
      { target, isMet: ratio ? isMet(target, ratio.median) : false }),
  };
}

/** CPU seconds that a way takes to move a gigabit, by process; the mean of the rounds. */
export interface CpuCost {
  readonly load: string;
  readonly way: WayName;
  readonly groups: Readonly<Record<string, number>>;
  /** Of the load tool itself. */
  readonly loadTool: number;
  /** Of all else: servers, interrupts, and whatever else runs on this machine. */
  readonly rest: number;
  /** Cores that were busy. */
  readonly busyCores: number;
  /** Share of the time that the machine below took away. */
  readonly stolenShare: number;
}

export function cpuCosts(
  measurements: readonly Measurement[],
  samples: readonly Sample[],
): CpuCost[] {
  return measurements.flatMap(({ load }) => {
    if (load.kind !== "down" && load.kind !== "up") return [];
    return wayNames.flatMap((way) => {
      const chosen = samples.filter(({ measurement, ...one }) =>
        measurement.load === load && one.way === way && one.outcome
      );
      return chosen.length === 0 ? [] : [costOf(
        { load: `${load.kind} x${load.streams}`, way },
        chosen,
      )];
    });
  });
}

function costOf(
  what: { load: string; way: WayName },
  samples: readonly Sample[],
): CpuCost {
  const sum = (read: (sample: Sample) => number) =>
    samples.reduce((total, sample) => total + read(sample), 0);
  const gbits = sum(({ outcome }) => outcome!.movedBytes * 8 / 1e9);
  const seconds = sum(({ cpu }) => cpu.seconds);
  const machine = sum(({ cpu }) => cpu.machine);
  const loadTool = sum(({ outcome }) => outcome!.cpuSeconds);
  const groups: Record<string, number> = {};
  let known = loadTool;
  for (const name of samples[0]!.cpu.groups.keys()) {
    const used = sum(({ cpu }) => cpu.groups.get(name) ?? 0);
    groups[name] = used / gbits;
    known += used;
  }
  return {
    ...what,
    groups,
    loadTool: loadTool / gbits,
    rest: (machine - known) / gbits,
    busyCores: machine / seconds,
    stolenShare: sum(({ cpu }) => cpu.stolen) / seconds,
  };
}

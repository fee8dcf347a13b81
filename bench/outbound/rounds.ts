/** The rounds of measurements: the ways take turns within each kind of load, so that all meet the same machine. */
import { say } from "../../tests/cluster/mod.ts";
import { type Measurement, measurements } from "./figures.ts";
import { type LoadOutcome, runLoad } from "./load.ts";
import { cpuBetween, type CpuUse, type Processes, sampleCpu } from "./usage.ts";
import type { Way, WayName } from "./way.ts";

/** One load on one way. */
export interface Sample {
  readonly measurement: Measurement;
  readonly way: WayName;
  /** From 0. */
  readonly round: number;
  /** Absent if it failed. */
  readonly outcome?: LoadOutcome;
  readonly failure?: string;
  /** What the processes used meanwhile. */
  readonly cpu: CpuUse;
}

/** A way that broke under a load and had to be brought back. */
export interface Break {
  readonly way: WayName;
  readonly during: string;
  readonly said: string;
}

export interface RoundsOptions {
  readonly tool: string;
  readonly rounds: number;
  readonly durationMs: number;
  /** Processes that serve all ways. */
  readonly common: Processes;
}

/** The direct way is the scale, not the subject. */
const directShare = 1 / 4;
const warmUpShare = 1 / 2;

export async function runRounds(
  ways: readonly Way[],
  options: RoundsOptions,
): Promise<{ samples: Sample[]; breaks: Break[] }> {
  const samples: Sample[] = [];
  const breaks: Break[] = [];
  // Round -1 warms caches and compilers up and is forgotten.
  for (let round = -1; round < options.rounds; round++) {
    say(round < 0 ? "bench: warming up" : `bench: round ${round + 1}`);
    for (const measurement of measurements) {
      // What comes after something has its traces: each goes first in turn.
      const inTurn = round % 2 === 0 ? ways : [...ways].reverse();
      for (const way of inTurn) {
        const sample = await measure(way, { measurement, round, ...options });
        if (round >= 0) samples.push(sample);
        const said = await way.mend();
        if (said === undefined) continue;
        const during = `${measurement.load.kind} x${measurement.load.streams}`;
        breaks.push({ way: way.name, during, said });
      }
    }
  }
  return { samples, breaks };
}

async function measure(
  way: Way,
  { measurement, round, tool, durationMs, common }: RoundsOptions & {
    measurement: Measurement;
    round: number;
  },
): Promise<Sample> {
  const processes = new Map([...common, ...way.processes]);
  const share = round < 0
    ? warmUpShare
    : way.name === "direct"
    ? directShare
    : 1;
  const before = await sampleCpu(processes);
  const outcome = await runLoad(way.laptop, {
    tool,
    load: measurement.load,
    servers: way.servers,
    durationMs: Math.round(durationMs * share),
  }).catch((error: Error) => error);
  const cpu = cpuBetween(before, await sampleCpu(processes));
  const base = { measurement, way: way.name, round, cpu };
  return outcome instanceof Error
    ? { ...base, failure: outcome.message }
    : { ...base, outcome };
}

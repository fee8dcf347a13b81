/** The rounds of measurements: the ways take turns within each kind of load, so that all meet the same machine. */
import { say } from "../../tests/cluster/mod.ts";
import type { Measurement } from "./figure.ts";
import { type LoadOutcome, nameOf, runLoad, type Timing } from "./load.ts";
import { cpuBetween, type CpuUse, type Processes, sampleCpu } from "./usage.ts";
import type { Way, WayName } from "../ways/way.ts";

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
  /** In the order in which they are made. */
  readonly measurements: readonly Measurement[];
  /** What warms caches and compilers up before the first round; default: all of it. */
  readonly warmUp?: readonly Measurement[];
  readonly rounds: number;
  readonly timing: Timing;
  /** Processes that serve all ways. */
  readonly common: Processes;
  /** The longest round trip of a way on which nothing moves: awaited after transfers that failed or were cut. Default 10 000. */
  readonly quietUs?: number;
}

const warmUpShare = 1 / 4;

export async function runRounds(
  ways: readonly Way[],
  options: RoundsOptions,
): Promise<{ samples: Sample[]; breaks: Break[] }> {
  const samples: Sample[] = [];
  const breaks: Break[] = [];
  // Round -1 warms up and is forgotten.
  for (let round = -1; round < options.rounds; round++) {
    say(round < 0 ? "bench: warming up" : `bench: round ${round + 1}`);
    const { measurements, warmUp = measurements } = options;
    for (const measurement of round < 0 ? warmUp : measurements) {
      // What comes after something has its traces: each goes first in turn.
      const inTurn = round % 2 === 0 ? ways : [...ways].reverse();
      for (const way of inTurn) {
        const sample = await measure(way, { measurement, round, ...options });
        if (round >= 0) samples.push(sample);
        const said = await way.mend();
        if (said !== undefined) {
          const during = nameOf(measurement.load);
          breaks.push({ way: way.name, during, said });
        } else if (sample.failure !== undefined || sample.outcome?.cut) {
          await calm(way, options);
        }
      }
    }
  }
  return { samples, breaks };
}

async function measure(
  way: Way,
  { measurement, round, tool, timing, common }: RoundsOptions & {
    measurement: Measurement;
    round: number;
  },
): Promise<Sample> {
  const processes = new Map([...common, ...way.processes]);
  const share = round < 0 ? warmUpShare : 1;
  const before = await sampleCpu(processes);
  const outcome = await runLoad(way.laptop, {
    tool,
    load: measurement.load,
    servers: way.servers,
    timing: { ...timing, durationMs: timing.durationMs * share },
  }).catch((error: Error) => error);
  const cpu = cpuBetween(before, await sampleCpu(processes));
  const base = { measurement, way: way.name, round, cpu };
  return outcome instanceof Error
    ? { ...base, failure: outcome.message }
    : { ...base, outcome };
}

const calmTries = 5;

/** Waits until what was on the way of transfers that failed or were cut has gone, and opens the way anew if that takes long. */
async function calm(
  way: Way,
  { tool, quietUs = 10_000 }: RoundsOptions,
): Promise<void> {
  const load = { kind: "ping", streams: 1 } as const;
  const timing = { settleMs: 0, durationMs: quietUs / 500, patienceMs: 500 };
  const { servers, laptop } = way;
  for (let tries = 0; tries < calmTries; tries++) {
    const found = await runLoad(laptop, { tool, load, servers, timing })
      .catch(() => undefined);
    if ((found?.result.p50Us ?? Infinity) < quietUs) return;
  }
  await way.renew();
}

/** The loads that failed, and the connections in those that did not. */
export function describeFailures(samples: readonly Sample[]): string[] {
  return samples.flatMap(({ way, measurement, failure, outcome }) => {
    const what = `${way}, ${nameOf(measurement.load)}`;
    const { failed = 0, failure: last } = outcome?.result ?? {};
    if (failure !== undefined) return [`${what}: ${failure}`];
    return failed > 0 ? [`${what}: ${failed} connections: ${last}`] : [];
  });
}

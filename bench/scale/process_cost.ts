/** What a process costs while it does one thing. */
import {
  cpuBetween,
  type Memory,
  sampleCpu,
  sampleMemory,
} from "../measure/usage.ts";

export interface Cost {
  /** CPU seconds. */
  readonly cpu: number;
  readonly seconds: number;
  /** At the end. */
  readonly memory: Memory;
}

/** Costs of processes, by their names, while `work` is done. */
export async function costOf<N extends string>(
  pids: Readonly<Record<N, number>>,
  work: () => Promise<unknown>,
): Promise<Record<N, Cost>> {
  const entries = Object.entries(pids) as [N, number][];
  const groups = new Map(entries.map(([name, pid]) => [name, [pid]]));
  const before = await sampleCpu(groups);
  await work();
  const { groups: used, seconds } = cpuBetween(before, await sampleCpu(groups));
  const costs: Partial<Record<N, Cost>> = {};
  for (const [name, pid] of entries) {
    const cpu = used.get(name) ?? 0;
    costs[name] = { cpu, seconds, memory: await sampleMemory([pid]) };
  }
  return costs as Record<N, Cost>;
}

/** CPU of one core, in percent. */
export function percent({ cpu, seconds }: Cost): string {
  return (100 * cpu / seconds).toFixed(1);
}

export function megabytes({ memory: { rssMb } }: Cost): string {
  return rssMb.toFixed(0);
}

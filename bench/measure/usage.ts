/** What processes use: CPU seconds and memory, from /proc. */

/** The kernel tells CPU time to programs in hundredths of a second, on every architecture (proc(5), USER_HZ). */
const ticksPerSecond = 100;

export type Processes = ReadonlyMap<string, readonly number[]>;

/** CPU seconds so far. */
export interface CpuSample {
  /** Of each group of processes; those that have ended count nothing. */
  readonly groups: ReadonlyMap<string, number>;
  /** Of the whole machine, in user space, kernel and interrupts. */
  readonly machine: number;
  /** What the machine below took away. */
  readonly stolen: number;
  readonly atMs: number;
}

export async function sampleCpu(processes: Processes): Promise<CpuSample> {
  const groups = new Map<string, number>();
  for (const [name, pids] of processes) {
    let ticks = 0;
    for (const pid of pids) ticks += await processTicks(pid);
    groups.set(name, ticks / ticksPerSecond);
  }
  const stat = await Deno.readTextFile("/proc/stat");
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0, steal = 0] =
    stat.slice(0, stat.indexOf("\n")).split(/\s+/).slice(1).map(Number);
  return {
    groups,
    machine: (user + nice + system + irq + soft) / ticksPerSecond,
    stolen: steal / ticksPerSecond,
    atMs: performance.now(),
  };
}

/** utime and stime of all threads, fields 14 and 15 of proc(5) stat. */
async function processTicks(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** CPU seconds between two samples. */
export interface CpuUse {
  readonly groups: ReadonlyMap<string, number>;
  readonly machine: number;
  readonly stolen: number;
  readonly seconds: number;
}

export function cpuBetween(before: CpuSample, after: CpuSample): CpuUse {
  const groups = new Map<string, number>();
  for (const [name, seconds] of after.groups) {
    groups.set(name, seconds - (before.groups.get(name) ?? 0));
  }
  return {
    groups,
    machine: after.machine - before.machine,
    stolen: after.stolen - before.stolen,
    seconds: (after.atMs - before.atMs) / 1000,
  };
}

/** Memory in megabytes of 10^6 bytes. */
export interface Memory {
  /** What is resident, pages shared with other processes included. */
  readonly rssMb: number;
  /** Shared pages divided by those who share them. */
  readonly pssMb: number;
  /** The highest resident set since the process began. */
  readonly peakRssMb: number;
}

/** The memory of processes together. */
export async function sampleMemory(pids: readonly number[]): Promise<Memory> {
  let [rssMb, pssMb, peakRssMb] = [0, 0, 0];
  for (const pid of pids) {
    const rollup = await read(`/proc/${pid}/smaps_rollup`);
    rssMb += kibibytes(rollup, "Rss") * 1024 / 1e6;
    pssMb += kibibytes(rollup, "Pss") * 1024 / 1e6;
    const status = await read(`/proc/${pid}/status`);
    peakRssMb += kibibytes(status, "VmHWM") * 1024 / 1e6;
  }
  return { rssMb, pssMb, peakRssMb };
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}

function kibibytes(text: string, name: string): number {
  const [, value = "0"] =
    text.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m")) ??
      [];
  return Number(value);
}

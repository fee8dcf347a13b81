/** What a process holds of its machine. */
export interface Footprint {
  readonly rssBytes: number;
  readonly descriptors: number;
}

export async function footprint(pid: number): Promise<Footprint> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const descriptors = await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`));
  return {
    rssBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024,
    descriptors: descriptors.length,
  };
}

/** A process of the pod with this UID, on a test bed whose nodes are on this machine: its network is the pod's. */
export async function processOfPod(uid: string): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // Processes come and go.
    const groups = await Deno.readTextFile(`/proc/${name}/cgroup`)
      .catch(() => "");
    if (groups.includes(`/pod${uid}/`)) return Number(name);
  }
  throw new Error(`Cannot enter pod "${uid}": no process of it runs here`);
}

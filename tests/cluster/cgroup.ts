import { join } from "node:path";
import { processStartTime, signalUntilGone } from "./process.ts";
import { waitFor } from "./wait.ts";

/** Where a cgroup hierarchy is mounted. */
interface Hierarchy {
  readonly path: string;
  readonly version: 1 | 2;
}

/** One hierarchy for cgroup v2, several for v1, and on some machines both. */
async function hierarchies(): Promise<Hierarchy[]> {
  const mounts = await Deno.readTextFile("/proc/self/mounts");
  const found: Hierarchy[] = [];
  for (const line of mounts.split("\n")) {
    const [, path = "", type] = line.split(" ");
    if (type === "cgroup") found.push({ path, version: 1 });
    if (type === "cgroup2") found.push({ path, version: 2 });
  }
  return found;
}

/** Makes a cgroup in every hierarchy, as the kubelet expects its `cgroupRoot` to be. */
export async function makeCgroup(cgroup: string): Promise<void> {
  for (const { path, version } of await hierarchies()) {
    const directory = join(path, cgroup);
    await Deno.mkdir(directory, { recursive: true });
    if (version === 2) await enableControllers(path, directory);
    else await copyCpuset(path, directory);
  }
}

/** A fresh cpuset of v1 is empty and holds no process. */
async function copyCpuset(root: string, directory: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const value = await Deno.readTextFile(join(root, file)).catch(() => "");
    if (value !== "") await Deno.writeTextFile(join(directory, file), value);
  }
}

async function enableControllers(root: string, directory: string) {
  const names = await Deno.readTextFile(join(root, "cgroup.controllers"));
  const wanted = names.trim().split(" ").filter((name) => name !== "");
  for (const level of [root, directory]) {
    for (const name of wanted) {
      await Deno.writeTextFile(
        join(level, "cgroup.subtree_control"),
        `+${name}`,
      ).catch(() => {}); // held by the v1 hierarchy, or not to be delegated
    }
  }
}

/** The pids of all processes in a cgroup and below it. */
export async function cgroupPids(cgroup: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const { path } of await hierarchies()) {
    for (const directory of await tree(join(path, cgroup))) {
      const text = await Deno.readTextFile(join(directory, "cgroup.procs"))
        .catch(() => "");
      for (const line of text.split("\n")) {
        if (line !== "") pids.add(Number(line));
      }
    }
  }
  return [...pids];
}

/**
 * Ends all processes that `find` names, until it names none.
 *
 * @throws {Error} if some are left after 20 s
 */
export async function killAll(
  what: string,
  find: () => Promise<number[]>,
): Promise<void> {
  await waitFor(`end of the processes of ${what}`, async () => {
    const pids = (await find()).filter((pid) =>
      processStartTime(pid) !== undefined
    );
    await Promise.all(
      pids.map((pid) => signalUntilGone(pid, "SIGKILL", 2000)),
    );
    return pids.length === 0 || `pids ${pids.join(", ")}`;
  }, { timeoutMs: 20_000, everyMs: 20 });
}

/** Removes a cgroup from every hierarchy; its processes have ended. */
export async function removeCgroup(cgroup: string): Promise<void> {
  for (const { path } of await hierarchies()) {
    for (const directory of (await tree(join(path, cgroup))).reverse()) {
      await waitFor(`end of the cgroup ${directory}`, async () => {
        try {
          await Deno.remove(directory);
          return true;
        } catch (error) {
          return error instanceof Deno.errors.NotFound ||
            (error as Error).message;
        }
      }, { timeoutMs: 10_000, everyMs: 20 });
    }
  }
}

/** A directory and all below it, parents first; empty if it is not there. */
async function tree(directory: string): Promise<string[]> {
  const directories = [directory];
  try {
    for await (const entry of Deno.readDir(directory)) {
      if (!entry.isDirectory) continue;
      directories.push(...await tree(join(directory, entry.name)));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return [];
  }
  return directories;
}

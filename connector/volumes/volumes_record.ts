/** Which volumes are on this laptop, across processes: so that what a killed connector left is cleared away. */
import { join } from "node:path";
import { volumesPath } from "../process/paths.ts";
import { isMounted, unmount } from "./volumes_sshfs_linux.ts";

const unfinishedPrefix = "..tp-";

/** What a file is called until it is whole. No volume's file is: kubelet alone uses names that begin so. */
export function unfinishedName(): string {
  return `${unfinishedPrefix}${crypto.randomUUID()}`;
}

/** One directory with a pod's volumes. */
export interface VolumesRecord {
  readonly root: string;
  /** Whether it goes with the volumes: else it was the user's before. */
  readonly isMade: boolean;
  /** Files that were copied there; paths below it. */
  readonly copies: readonly string[];
}

/** Where the record of new volumes may be. */
export function newRecordPath(): string {
  return join(volumesPath(), `${crypto.randomUUID()}.json`);
}

/** Notes it, before what it tells of is there. */
export async function noteVolumes(
  path: string,
  record: VolumesRecord,
): Promise<void> {
  await Deno.mkdir(volumesPath(), { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  await Deno.writeTextFile(fresh, JSON.stringify(record), { mode: 0o600 });
  await Deno.rename(fresh, path);
}

/** Forgets what is cleared away. */
export async function forgetVolumes(path: string): Promise<void> {
  await Deno.remove(path).catch(() => {});
  await Deno.remove(volumesPath()).catch(() => {});
}

/**
 * Takes away a mount, or copies, and the directory if it was made for them. Nothing else that may be there is removed: no
 * file of the pod's, none of the user's.
 */
export async function clearVolumes(
  { root, isMade, copies }: VolumesRecord,
): Promise<void> {
  await unmount(root);
  if (await isMounted(root)) {
    throw new Error(`Cannot unmount "${root}": fusermount3 does not`);
  }
  const directories = new Set<string>();
  for (const path of copies) {
    const parts = path.split("/");
    if (parts.includes("..")) continue;
    await Deno.remove(join(root, path)).catch(() => {});
    for (let depth = parts.length - 1; depth >= 0; depth--) {
      directories.add(parts.slice(0, depth).join("/"));
    }
  }
  // The deepest first.
  const deep = [...directories].sort((a, b) => b.length - a.length);
  for (const directory of deep) {
    const path = join(root, directory);
    for (const name of await unfinished(path)) {
      await Deno.remove(join(path, name)).catch(() => {});
    }
    if (directory !== "") await removeEmpty(path);
  }
  if (isMade) await removeEmpty(root);
}

/** Clears away what a killed process noted in a file. */
export async function clearNoted(path: string): Promise<void> {
  const record = await read(path);
  if (record !== undefined) await clearVolumes(record);
  await forgetVolumes(path);
}

async function read(path: string): Promise<VolumesRecord | undefined> {
  try {
    const record = JSON.parse(await Deno.readTextFile(path));
    const { root, isMade, copies } = record;
    if (typeof root !== "string" || !root.startsWith("/")) return undefined;
    return { root, isMade: isMade === true, copies: copies.map(String) };
  } catch {
    return undefined;
  }
}

/** Names of files that were being copied. */
async function unfinished(directory: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) {
      if (name.startsWith(unfinishedPrefix)) names.push(name);
    }
  } catch { /* there is no such directory */ }
  return names;
}

/** A directory is removed only when nothing is in it; a file never. */
async function removeEmpty(directory: string): Promise<void> {
  const { isDirectory } = await Deno.lstat(directory)
    .catch(() => ({ isDirectory: false }));
  if (isDirectory) await Deno.remove(directory).catch(() => {});
}

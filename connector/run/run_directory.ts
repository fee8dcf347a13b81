import { dirname } from "node:path";
import { processState } from "../../process/mod.ts";
import { runDirectory } from "../process/paths.ts";

/** A path for this process, after what killed ones have left beside it was removed. */
export async function freshRunDirectory(): Promise<string> {
  const own = runDirectory(Deno.pid);
  const parent = dirname(own);
  const prefix = runDirectory(0).slice(parent.length + 1, -1);
  await Deno.mkdir(parent, { recursive: true, mode: 0o700 });
  for await (const { name } of Deno.readDir(parent)) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    if (!/^\d+$/.test(pid) || await isAlive(pid)) continue;
    await Deno.remove(runDirectory(Number(pid)), { recursive: true })
      .catch(() => {});
  }
  await Deno.remove(own, { recursive: true }).catch(() => {});
  return own;
}

async function isAlive(pid: string): Promise<boolean> {
  return await processState(Number(pid)) !== undefined;
}

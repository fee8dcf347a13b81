import { controlPlaneNames } from "./control_plane.ts";
import { bedKubectl } from "./kubectl.ts";
import { netnsExists } from "./netns.ts";
import { nodeProcessNames } from "./node.ts";
import { statePath } from "./paths.ts";
import { livePid } from "./process.ts";
import { maxNodes, nodeSettings } from "./settings.ts";

/** How the bed is; `broken` covers a start that failed and processes that have ended since. */
export type BedStatus =
  | { readonly state: "down" }
  | { readonly state: "broken"; readonly why: string }
  | { readonly state: "up"; readonly nodes: number };

export async function readStatus(): Promise<BedStatus> {
  const text = await Deno.readTextFile(statePath("nodes")).catch(() => "");
  const nodes = Number(text);
  if (!(nodes >= 1)) {
    return await somethingIsLeft()
      ? { state: "broken", why: "its start did not finish" }
      : { state: "down" };
  }
  const dead = bedProcessNames(nodes).filter((name) =>
    livePid(name) === undefined
  );
  if (dead.length > 0) {
    return { state: "broken", why: `not running: ${dead.join(", ")}` };
  }
  const ready = await bedKubectl(["get", "--raw", "/readyz"], {
    timeoutMs: 10_000,
  });
  if (ready.stdout !== "ok") {
    return { state: "broken", why: `API server: ${ready.stderr.trim()}` };
  }
  return { state: "up", nodes };
}

/** Notes that the bed is up, and how many nodes it has. */
export async function writeNodeCount(nodes: number): Promise<void> {
  await Deno.writeTextFile(statePath("nodes"), `${nodes}\n`);
}

/** All processes of a bed, in the order in which they are stopped. */
export function bedProcessNames(nodes: number): string[] {
  const names: string[] = [];
  for (let index = nodes; index >= 1; index--) {
    names.push(...nodeProcessNames(nodeSettings(index)));
  }
  return names.concat(controlPlaneNames);
}

async function somethingIsLeft(): Promise<boolean> {
  for (let index = 1; index <= maxNodes; index++) {
    if (await netnsExists(nodeSettings(index).netns)) return true;
  }
  return await Deno.stat(statePath("pid")).then(() => true, () => false);
}

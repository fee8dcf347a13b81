import type { Laptop } from "../../tests/cluster/mod.ts";
import { serversAt, type Way } from "./way.ts";

/** Plain routing from a laptop to the pod, as no laptop has it; `tp` is not to be connected there meanwhile. */
export async function openDirect(
  laptop: Laptop,
  podIp: string,
): Promise<Way> {
  const path = await laptop.openDirectPath();
  return {
    name: "direct",
    laptop,
    servers: serversAt(podIp),
    processes: new Map(),
    mend: () => Promise.resolve(undefined),
    renew: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => path[Symbol.asyncDispose](),
  };
}

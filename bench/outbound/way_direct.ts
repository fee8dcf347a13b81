import { type Cluster, Laptop } from "../../tests/cluster/mod.ts";
import { serversAt, type Way } from "./way.ts";

/** Plain routing from a laptop of its own to the pod, as no laptop has it. */
export async function openDirect(
  cluster: Cluster,
  podIp: string,
): Promise<Way> {
  const laptop = await Laptop.open(cluster);
  try {
    const path = await laptop.openDirectPath();
    return {
      name: "direct",
      laptop,
      servers: serversAt(podIp),
      processes: new Map(),
      mend: () => Promise.resolve(undefined),
      [Symbol.asyncDispose]: async () => {
        await path[Symbol.asyncDispose]();
        await laptop[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await laptop[Symbol.asyncDispose]();
    throw error;
  }
}

import { clusterBinaries } from "./binaries.ts";
import type { Programs } from "./control_plane.ts";
import { unpacked, unpackPackages } from "./packages.ts";
import { binDir } from "./paths.ts";

/** Where the programs of the bed are; compiles and unpacks what is missing. */
export async function bringPrograms(): Promise<Programs> {
  const debian = await unpackPackages(unpacked.node);
  return { bin: binDir, debian, compiled: await clusterBinaries() };
}

import { join } from "node:path";

/** Where the bed keeps what it needs while it runs; `down` removes it. */
export const stateDir = Deno.env.get("TP_BED_STATE") ?? "/var/lib/tp-bed";

/** Where what is compiled and downloaded outlives the bed. */
export const cacheDir = join(
  Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME") ?? "/root", ".cache"),
  "tp",
  "bed",
);

/** The directory of this room, for what is built from its sources. */
export const roomDir = import.meta.dirname!;

/** The repository. */
export const repositoryDir = join(roomDir, "..", "..");

/** A path below the state directory. */
export function statePath(...parts: string[]): string {
  return join(stateDir, ...parts);
}

/** The kubeconfig of the cluster's administrator. */
export const adminKubeconfig = statePath("admin.kubeconfig");

/** Command names of the compiled Kubernetes (`kubectl` among them); in the PATH of laptops. */
export const binDir = statePath("bin");

import { join } from "node:path";
import { unpackOfRelease } from "./debian_release.ts";
import { cacheDir } from "./paths.ts";
import { step } from "./step.ts";

/** The first release of Debian that has sudo-rs; its program loads the C library of the one before, too. */
const release = "trixie";

/** Resolves to the path of a sudo-rs without its mode, which only root may read. */
export async function sudoRsBinary(): Promise<string> {
  const directory = join(cacheDir, `sudo-rs-${release}`);
  const path = join(directory, "usr/lib/cargo/bin/sudo");
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  await step(
    `unpacking sudo-rs of Debian ${release}`,
    () => unpackOfRelease(directory, { release, packages: ["sudo-rs"] }),
    { long: true },
  );
  return path;
}

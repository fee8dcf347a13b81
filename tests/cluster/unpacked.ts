import { join } from "node:path";
import { must } from "./command.ts";

/**
 * Makes a directory of what Debian packages hold, all of it or nothing.
 *
 * @param download Brings the packages into the directory that it is given
 */
export async function makeUnpacked(
  directory: string,
  download: (scratch: string) => Promise<void>,
): Promise<void> {
  const scratch = `${directory}.${crypto.randomUUID()}`;
  const root = join(scratch, "root");
  await Deno.mkdir(root, { recursive: true });
  try {
    await download(scratch);
    for await (const { name } of Deno.readDir(scratch)) {
      if (!name.endsWith(".deb")) continue;
      await must(["dpkg", "-x", join(scratch, name), root]);
    }
    await Deno.rename(root, directory);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

import { join } from "node:path";
import { must } from "./command.ts";

/** What this host's own release does not have. */
export interface ReleasePackages {
  /** As in "sid". */
  readonly release: string;
  readonly packages: readonly string[];
}

/** Unpacks packages of another release of Debian, with package lists of its own: the host's are not touched. */
export async function unpackOfRelease(
  directory: string,
  { release, packages }: ReleasePackages,
): Promise<void> {
  const scratch = `${directory}.${crypto.randomUUID()}`;
  await Deno.mkdir(join(scratch, "root"), { recursive: true });
  await Deno.mkdir(join(scratch, "lists/partial"), { recursive: true });
  try {
    await Deno.writeTextFile(
      join(scratch, "sources.list"),
      `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian ${release} main\n`,
    );
    const own = [
      `Dir::Etc::SourceList=${scratch}/sources.list`,
      "Dir::Etc::SourceParts=-",
      `Dir::State::Lists=${scratch}/lists`,
      `Dir::Cache::pkgcache=${scratch}/pkgcache.bin`,
      `Dir::Cache::srcpkgcache=${scratch}/srcpkgcache.bin`,
    ].flatMap((option) => ["-o", option]);
    const limits = { cwd: scratch, timeoutMs: 300_000 };
    await must(["apt-get", "-qq", ...own, "update"], limits);
    await must(["apt-get", "-qq", ...own, "download", ...packages], limits);
    for await (const { name } of Deno.readDir(scratch)) {
      if (!name.endsWith(".deb")) continue;
      await must(["dpkg", "-x", join(scratch, name), join(scratch, "root")]);
    }
    await Deno.rename(join(scratch, "root"), directory);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

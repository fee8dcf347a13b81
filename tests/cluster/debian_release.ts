import { join } from "node:path";
import { must } from "./command.ts";
import { makeUnpacked } from "./unpacked.ts";

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
  await makeUnpacked(directory, async (scratch) => {
    await Deno.mkdir(join(scratch, "lists/partial"), { recursive: true });
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
  });
}

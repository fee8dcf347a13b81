import { join } from "node:path";
import type { ImageContent } from "./image.ts";
import { withLibraries } from "./image.ts";
import { unpackPackages } from "./packages.ts";

/** Where Debian puts one directory for each release of PostgreSQL. */
const libraryDir = "/usr/lib/postgresql";

/** Modules that the server loads into a database that is being made. */
const modules = ["plpgsql.so", "dict_snowball.so"];

/**
 * PostgreSQL's server with its libraries, and a shell to start it in. It is of the release whose client is installed here,
 * and is unpacked: Debian's package would make a database on the host and start it.
 */
export async function postgresFiles(): Promise<
  Pick<ImageContent, "files" | "texts" | "links">
> {
  const release = await installedRelease();
  const unpacked = await unpackPackages([`postgresql-${release}`]);
  const programs = join(libraryDir, release, "bin");
  const inImage = [
    ...["initdb", "postgres"].map((name) => join(programs, name)),
    ...modules.map((name) => join(libraryDir, release, "lib", name)),
    ...await below(unpacked, join("/usr/share/postgresql", release)),
  ];
  const files: Record<string, string> = { "/bin/busybox": "/bin/busybox" };
  for (const path of inImage) {
    const from = join(unpacked, path);
    const loaded = /[.]so$|[/]bin[/]/.test(path)
      ? await withLibraries(from)
      : {};
    const { [from]: _, ...libraries } = loaded;
    Object.assign(files, libraries, { [path]: from });
  }
  return {
    files,
    // The server refuses to run for a user without name.
    texts: { "/etc/passwd": "postgres:x:999:999:postgres:/tmp:/bin/sh\n" },
    links: {
      "/bin/sh": "busybox",
      "/usr/bin/initdb": join(programs, "initdb"),
      "/usr/bin/postgres": join(programs, "postgres"),
    },
  };
}

async function installedRelease(): Promise<string> {
  const releases = (await Array.fromAsync(Deno.readDir(libraryDir)))
    .map(({ name }) => name).sort((a, b) => Number(b) - Number(a));
  return releases[0]!;
}

/** The paths of all files below a directory of an unpacked package. */
async function below(root: string, directory: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(join(root, directory))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory) paths.push(...await below(root, path));
    else if (entry.isFile) paths.push(path);
  }
  return paths;
}

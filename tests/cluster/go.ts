import { join } from "node:path";
import { must, run } from "./command.ts";
import { cacheDir } from "./paths.ts";
import { step } from "./step.ts";

/** The oldest Go that compiles the Kubernetes of `hyperkube/go.mod`. */
const wanted = { major: 1, minor: 26 } as const;
const debianPackage = `golang-${wanted.major}.${wanted.minor}`;

export interface Go {
  /** The `go` command. */
  readonly path: string;
  /** As in "go1.26.8". */
  readonly version: string;
}

/** The Go compiler: of PATH, of /usr/local/go, else Debian's newest, unpacked into the cache. */
export async function findGo(): Promise<Go> {
  const unpackedGo = join(
    cacheDir,
    debianPackage,
    "usr/lib",
    `go-${wanted.major}.${wanted.minor}`,
    "bin/go",
  );
  for (const path of ["go", "/usr/local/go/bin/go", unpackedGo]) {
    const go = await probe(path);
    if (go !== undefined) return go;
  }
  await step(
    `unpacking Debian's ${debianPackage} (no Go ${wanted.major}.${wanted.minor} is installed)`,
    () => unpackGo(join(cacheDir, debianPackage)),
    { long: true },
  );
  const go = await probe(unpackedGo);
  if (go !== undefined) return go;
  throw new Error(
    `Cannot compile Kubernetes: no Go ${wanted.major}.${wanted.minor} or later in PATH or /usr/local/go, and Debian's ` +
      `${debianPackage} does not run here; install Go from https://go.dev/dl`,
  );
}

async function probe(path: string): Promise<Go | undefined> {
  const result = await run([path, "version"], { env: { GOTOOLCHAIN: "local" } })
    .catch(() => undefined);
  const version = result?.stdout.match(/ (go(\d+)\.(\d+)\S*)/);
  if (version?.[1] === undefined || Number(version[2]) !== wanted.major) return;
  if (Number(version[3]) < wanted.minor) return;
  return { path, version: version[1] };
}

/** Fetches the packages from Debian's unstable release with package lists of its own: the host's are not touched. */
async function unpackGo(directory: string): Promise<void> {
  const scratch = `${directory}.${crypto.randomUUID()}`;
  await Deno.mkdir(join(scratch, "root"), { recursive: true });
  await Deno.mkdir(join(scratch, "lists/partial"), { recursive: true });
  try {
    await Deno.writeTextFile(
      join(scratch, "sid.list"),
      "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main\n",
    );
    const own = [
      `Dir::Etc::SourceList=${scratch}/sid.list`,
      "Dir::Etc::SourceParts=-",
      `Dir::State::Lists=${scratch}/lists`,
      `Dir::Cache::pkgcache=${scratch}/pkgcache.bin`,
      `Dir::Cache::srcpkgcache=${scratch}/srcpkgcache.bin`,
    ].flatMap((option) => ["-o", option]);
    const limits = { cwd: scratch, timeoutMs: 300_000 };
    await must(["apt-get", "-qq", ...own, "update"], limits);
    const packages = [`${debianPackage}-go`, `${debianPackage}-src`];
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

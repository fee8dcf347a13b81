import { join } from "node:path";
import { run } from "./command.ts";
import { unpackOfRelease } from "./debian_release.ts";
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
    () =>
      unpackOfRelease(join(cacheDir, debianPackage), {
        release: "sid",
        packages: [`${debianPackage}-go`, `${debianPackage}-src`],
      }),
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

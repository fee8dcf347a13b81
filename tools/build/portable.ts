/** The portable build: npm's Deno with an entry stub and the program appended. */
import type { Bundle } from "./bundle.ts";
import { Elf } from "./elf.ts";
import { mainPath, portableModules } from "./portable_modules.ts";
import { archiveOffset, splice } from "./splice.ts";
import { compileStub } from "./stub.ts";

/** What is parsed at every start costs, even if it never runs. */
const mainLimitBytes = 100 * 1024;

/** The caller's configuration, lock and network have no say in what runs; `--ext` since the module's path has none. */
const denoFlags = [
  "run",
  "--allow-all",
  "--quiet",
  "--no-check",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--cached-only",
  "--ext=mjs",
  mainPath,
];

export interface PortableOptions {
  /** The Deno to splice into: npm's executable for Linux with glibc. */
  base: string;
  /** Flags for Deno besides the usual ones, e.g. `--unstable-net`. */
  flags?: readonly string[];
}

export interface PortableBuild {
  file: Uint8Array;
  mainBytes: number;
  lazyBytes: number;
  lazyCount: number;
}

/** @throws {Error} when the program's start has grown beyond its limit, or the base cannot be spliced into. */
export async function portableBuild(
  bundle: Bundle,
  { base, flags = [] }: PortableOptions,
): Promise<PortableBuild> {
  const deno = await Deno.readFile(base);
  const [modules, stub] = await Promise.all([
    portableModules(bundle, archiveOffset(deno)),
    compileStub(new Elf(deno).machine),
  ]);
  const main = new TextEncoder().encode(modules.main);
  if (main.length > mainLimitBytes) {
    throw new Error(
      `Cannot build: the start of the program has ${main.length} bytes, at most ${mainLimitBytes} are allowed; ` +
        "load more of it on demand, by import()",
    );
  }
  if (/\bfrom"node:/.test(modules.main)) {
    throw new Error(
      "Cannot build: the start of the program imports a module of Node's, which costs more than all of Deno's start; " +
        "load it on demand, by import()",
    );
  }
  const file = splice(deno, {
    stub,
    flags: denoFlags.toSpliced(1, 0, ...flags),
    archive: modules.archive,
    main,
  });
  return {
    file,
    mainBytes: main.length,
    lazyBytes: modules.archive.length,
    lazyCount: modules.lazyCount,
  };
}

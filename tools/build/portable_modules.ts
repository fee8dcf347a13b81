/**
 * The bundle in the form of the portable executable (loader.js says why it is not plain ES modules).
 *
 * 1. What `main` imports statically becomes one ES module, together with the loader.
 * 2. All others become CommonJS functions, by esbuild as `deno bundle` has fetched it: it keeps live bindings live.
 * 3. These are concatenated to the archive; the main module knows the place of each.
 */
import { type Bundle, replaceWorkerUrls } from "./bundle.ts";
import { findEsbuild, minifyFlags } from "./esbuild.ts";
import { run } from "./run.ts";

export interface PortableModules {
  /** The ES module that Deno is started with. */
  main: string;
  /** The modules that are loaded on demand, one behind the other. */
  archive: Uint8Array;
  /** How many they are. */
  lazyCount: number;
}

/** What Deno calls the main module, since the stub puts it there. */
export const mainPath = "/proc/self/fd/100";

/**
 * @param archiveOffset where the archive starts in the executable, in bytes
 * @throws {Error} when a module cannot be turned: a lazily loaded one must have no top-level `await`.
 */
export async function portableModules(
  bundle: Bundle,
  archiveOffset: number,
): Promise<PortableModules> {
  const esbuild = await findEsbuild();
  const directory = await Deno.makeTempDir();
  try {
    const names = [...bundle.modules.keys()];
    const eager = staticImports(bundle);
    const lazy = names.filter((name) => !eager.has(name));
    for (const name of names) {
      const text = withLoaderCalls(bundle, bundle.modules.get(name)!);
      await Deno.writeTextFile(
        `${directory}/${name}`,
        eager.has(name) ? loaderImport + text : text,
      );
    }
    if (lazy.length > 0) {
      await run(esbuild, [...lazyFlags, "--outdir=lazy", ...lazy], {
        cwd: directory,
      });
    }
    const { archive, places } = await pack(`${directory}/lazy`, lazy);
    await writeStart(directory, bundle.main, eager, archiveOffset, places);
    await run(esbuild, [...mainFlags, "--outfile=out.js", "start.js"], {
      cwd: directory,
    });
    return {
      main: await Deno.readTextFile(`${directory}/out.js`),
      archive,
      lazyCount: lazy.length,
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const common = [...minifyFlags, "--log-level=warning"];
const mainFlags = [
  ...common,
  "--bundle",
  "--format=esm",
  "--platform=neutral",
  "--external:node:*",
];
const lazyFlags = [
  ...common,
  "--format=cjs",
  `--define:import.meta.url="file://${mainPath}"`,
  "--log-override:empty-import-meta=error",
];
const loaderImport = 'import{tpLoad,tpWorkerUrl}from"./loader.js";';

/** The names of the modules that are evaluated before the program does anything, `main` among them. */
function staticImports({ modules, main }: Bundle): Set<string> {
  const found = new Set([main]);
  for (const name of found) {
    const imports = modules.get(name)!.matchAll(
      /(?:\bfrom|\bimport)\s*"\.\/([^"]+)"/g,
    );
    for (const [, imported] of imports) {
      if (modules.has(imported!)) found.add(imported!);
    }
  }
  return found;
}

function withLoaderCalls(bundle: Bundle, text: string): string {
  const loading = text.replace(
    /\bimport\("\.\/([^"]+)"\)/g,
    (whole, name: string) =>
      bundle.modules.has(name) ? `tpLoad("${name}")` : whole,
  );
  return replaceWorkerUrls(
    loading,
    bundle.workers,
    (name) => `tpWorkerUrl("${name}")`,
  );
}

type Places = Record<string, [offset: number, length: number]>;

async function pack(directory: string, names: string[]) {
  const places: Places = {};
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const name of names) {
    const bytes = await Deno.readFile(`${directory}/${name}`);
    places[name] = [offset, bytes.length];
    offset += bytes.length;
    parts.push(bytes);
  }
  const archive = new Uint8Array(await new Blob(parts).arrayBuffer());
  return { archive, places };
}

/** `start.js` sets the loader up before `main` is evaluated: imports are evaluated in order. */
async function writeStart(
  directory: string,
  main: string,
  eager: Set<string>,
  archiveOffset: number,
  places: Places,
): Promise<void> {
  const shared = [...eager].filter((name) => name !== main);
  const absolute = Object.entries(places).map(([name, [offset, length]]) =>
    [name, [archiveOffset + offset, length]] as const
  );
  const setUp = [
    'import{setUp}from"./loader.js";',
    ...shared.map((name, i) => `import*as m${i} from"./${name}";`),
    `setUp({${shared.map((name, i) => `"${name}":m${i}`)}},`,
    `${JSON.stringify(Object.fromEntries(absolute))});`,
  ];
  await Deno.copyFile(
    new URL("loader.js", import.meta.url),
    `${directory}/loader.js`,
  );
  await Deno.writeTextFile(`${directory}/set_up.js`, setUp.join("\n"));
  await Deno.writeTextFile(
    `${directory}/start.js`,
    `import"./set_up.js";import"./${main}";`,
  );
}

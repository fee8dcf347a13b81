/**
 * The program as a few JavaScript modules: its start, and what is loaded on demand. npm packages are inside.
 *
 * 1. `deno bundle --code-splitting` makes ES modules that share code by importing each other.
 * 2. The `worker.ts` of a room is bundled alone: it shares nothing with the thread that starts it.
 * 3. What the bundler adds for `require` costs 15 ms at every start, so it is replaced.
 * 4. They are made small, by esbuild as `deno bundle` has fetched it.
 * 5. The bundler's names tell where sources and packages lie; names without it make the same bytes everywhere.
 */
import { findEsbuild, minifyFlags } from "./esbuild.ts";
import { run } from "./run.ts";

export interface Bundle {
  /** Text of each module by file name. They import each other as `./NAME`. */
  modules: ReadonlyMap<string, string>;
  /** The module that starts the program. */
  main: string;
  /** Modules that a `Worker` starts, by the name that the source gives them: `./worker.ts`. */
  workers: ReadonlyMap<string, string>;
}

/**
 * Bundles the program whose `main.ts` is in `root`.
 *
 * @throws {Error} when the bundler refuses, or two rooms have a worker.
 */
export async function bundle(root: string): Promise<Bundle> {
  const directory = await Deno.makeTempDir();
  try {
    await denoBundle(root, [
      "--code-splitting",
      "--outdir",
      directory,
      "main.ts",
    ]);
    const workers = new Map<string, string>();
    for (const room of await roomsWithWorker(root)) {
      if (workers.size > 0) {
        throw new Error(
          `Cannot bundle "${room}/worker.ts": a program has one worker.ts, in one room`,
        );
      }
      const name = `${room}-worker.js`;
      workers.set("./worker.ts", name);
      await denoBundle(root, [
        "-o",
        `${directory}/${name}`,
        `${room}/worker.ts`,
      ]);
    }
    // Before they are made smaller: that gives other names to what the bundler adds.
    await rewriteModules(directory, withCheapRequire);
    await minify(directory);
    const modules = withPlainNames(await readModules(directory));
    return { modules, main: "main.js", workers };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function roomsWithWorker(root: string): Promise<string[]> {
  const rooms: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    if (!isDirectory) continue;
    const file = await Deno.stat(`${root}/${name}/worker.ts`)
      .catch(() => undefined);
    if (file?.isFile) rooms.push(name);
  }
  return rooms;
}

async function denoBundle(cwd: string, args: string[]): Promise<void> {
  const common = ["bundle", "--quiet", "--platform", "deno"];
  await run(Deno.execPath(), [...common, ...args], { cwd });
}

/** Makes each module in `directory` smaller, in its place. */
async function minify(directory: string): Promise<void> {
  const names = await namesIn(directory);
  const place = ["--outdir=.", "--allow-overwrite"];
  const flags = [...minifyFlags, "--format=esm", "--log-level=warning"];
  await run(await findEsbuild(), [...flags, ...place, ...names], {
    cwd: directory,
  });
}

async function rewriteModules(
  directory: string,
  rewrite: (text: string) => string,
): Promise<void> {
  for (const name of await namesIn(directory)) {
    const path = `${directory}/${name}`;
    await Deno.writeTextFile(path, rewrite(await Deno.readTextFile(path)));
  }
}

async function readModules(directory: string): Promise<Map<string, string>> {
  const modules = new Map<string, string>();
  for (const name of await namesIn(directory)) {
    const text = await Deno.readTextFile(`${directory}/${name}`);
    modules.set(name, withoutPlaces(text));
  }
  return modules;
}

async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) names.push(name);
  return names.sort();
}

/**
 * The modules under names that depend on the program alone: `connect_run-2ECIMOF5.js` becomes `connect_run.js`, or
 * `connect_run2.js` where the name is taken, in the order in which the modules are met from `main.js` on.
 */
export function withPlainNames(
  modules: ReadonlyMap<string, string>,
): Map<string, string> {
  const specifier = /"\.\/([^"]+)"/g;
  const met = new Set(["main.js"]);
  for (const name of met) {
    for (const [, imported] of modules.get(name)!.matchAll(specifier)) {
      if (modules.has(imported!)) met.add(imported!);
    }
  }
  for (const name of modules.keys()) met.add(name);
  const plain = new Map<string, string>();
  const taken = new Set<string>();
  for (const name of met) {
    const stem = name.replace(/(-[A-Z0-9]{8})?\.js$/, "");
    let chosen = `${stem}.js`;
    for (let i = 2; taken.has(chosen); i++) chosen = `${stem}${i}.js`;
    taken.add(chosen);
    plain.set(name, chosen);
  }
  return new Map(
    [...met].map((name) => [
      plain.get(name)!,
      modules.get(name)!.replace(
        specifier,
        (whole, imported) =>
          plain.has(imported) ? `"./${plain.get(imported)}"` : whole,
      ),
    ]),
  );
}

/** The bundler names each CommonJS module by its path from the program to Deno's cache, which differs between checkouts. */
function withoutPlaces(text: string): string {
  return text.replace(/"[^"\s]*\/npm\/registry\.npmjs\.org\//g, '"npm/');
}

/**
 * The bundler gives CommonJS packages a `require` made by `node:module`, which loads a large part of Node's
 * compatibility layer. What is bundled can only ask for built-in modules, and those come cheaper.
 */
function withCheapRequire(text: string): string {
  const require = "(id=>{const found=process.getBuiltinModule(id);" +
    "if(found)return found;" +
    'throw Object.assign(new Error(`Cannot find module "${id}"`),{code:"MODULE_NOT_FOUND"})})';
  const result = text
    .replace(
      /import\s*\{\s*createRequire as __deno_internal_createRequire\s*\}\s*from\s*"node:module";/,
      "",
    )
    .replace("__deno_internal_createRequire(import.meta.url)", () => require);
  if (result.includes("__deno_internal_createRequire")) {
    throw new Error(
      "Cannot replace the bundler's require: it has another form",
    );
  }
  return result;
}

/**
 * `text` with each `new URL("./worker.ts", import.meta.url)` replaced by the expression that `expression` gives for the
 * worker's module.
 */
export function replaceWorkerUrls(
  text: string,
  workers: Bundle["workers"],
  expression: (name: string) => string,
): string {
  return text.replace(
    /new URL\("(\.\/[^"]*worker\.ts)",\s*import\.meta\.url\)/g,
    (_, source: string) => {
      const name = workers.get(source);
      if (name !== undefined) return expression(name);
      throw new Error(`Cannot bundle the worker "${source}": no such file`);
    },
  );
}

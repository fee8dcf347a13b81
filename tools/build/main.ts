// deno-lint-ignore-file no-console -- the result of the build is for people
/**
 * `deno task build`: one executable, `dist/tp`. By `deno compile` where its base is at hand (or may be fetched:
 * `--online`), otherwise the portable build.
 *
 *     --online        let `deno compile` fetch its base
 *     --root DIR      the program: main.ts and deno.json (default: this repository)
 *     --output FILE   default: dist/tp in the root
 *     --base FILE     Deno to splice into (default: the one that runs this), e.g. of another architecture
 */
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { compileBuild, findCompileBase } from "./compile.ts";
import { portableBuild } from "./portable.ts";

const repository = new URL("../../", import.meta.url).pathname;

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    online: { type: "boolean", default: false },
    root: { type: "string", default: repository },
    output: { type: "string" },
    base: { type: "string" },
  },
});

try {
  console.log(await makeExecutable());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}

/** Makes the executable, puts it in place by a rename, and resolves to what people are told. */
async function makeExecutable(): Promise<string> {
  const started = performance.now();
  const root = await Deno.realPath(options.root);
  const output = options.output ?? `${root}/dist/tp`;
  const directory = dirname(output);
  await Deno.mkdir(directory, { recursive: true });

  const unfinished = `${directory}/.unfinished-${Deno.pid}`;
  let told: string;
  try {
    told = await build(root, unfinished);
    await Deno.chmod(unfinished, 0o755);
    await Deno.rename(unfinished, output);
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    throw error;
  }
  const { size } = await Deno.stat(output);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  return `${output}: ${told}; ${(size / 1e6).toFixed(1)} MB, ${seconds} s`;
}

/** Writes the executable to `file` and says in words how it was made. */
async function build(root: string, file: string): Promise<string> {
  const flags = await unstableFlags(root);
  const program = await bundle(root);
  const denort = options.online
    ? "fetched, as --online allows"
    : await findCompileBase();
  if (denort !== undefined && options.base === undefined) {
    await compileBuild(program, { output: file, flags });
    return `deno compile (base: ${denort})`;
  }
  const base = options.base ?? Deno.execPath();
  const made = await portableBuild(program, { base, flags });
  await Deno.writeFile(file, made.file);
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
  return "portable (no base for deno compile here; DENORT_BIN or --online gives one), " +
    `start ${kilobytes(made.mainBytes)}, ` +
    `on demand ${kilobytes(made.lazyBytes)} in ${made.lazyCount} modules`;
}

/** The unstable features that deno.json turns on; the executable reads no deno.json. */
async function unstableFlags(root: string): Promise<string[]> {
  const config = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
  return ((config.unstable ?? []) as string[]).map((name) =>
    `--unstable-${name}`
  );
}

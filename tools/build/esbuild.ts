import { run } from "./run.ts";

/**
 * What makes a module smaller and leaves its meaning alone. Never `--minify`: its rewriting of syntax forgets to dispose of
 * a `using` that is used once (esbuild issue 4482, fixed in 0.28.1).
 */
export const minifyFlags = ["--minify-whitespace", "--minify-identifiers"];

/** Deno's own directory for what it fetches. */
export async function denoDirectory(): Promise<string> {
  const info = await run(Deno.execPath(), ["info", "--json", "--no-config"]);
  return (JSON.parse(info) as { denoDir: string }).denoDir;
}

/**
 * The esbuild that `deno bundle` has fetched. It is asked for after a bundle was made, so it is there.
 *
 * @throws {Error} when it is not.
 */
export async function findEsbuild(): Promise<string> {
  const cache = `${await denoDirectory()}/dl`;
  const directories: string[] = [];
  for await (const { name } of Deno.readDir(cache)) {
    if (name.startsWith("esbuild-")) directories.push(`${cache}/${name}`);
  }
  for (const directory of directories.sort().reverse()) {
    for await (const { name, isFile } of Deno.readDir(directory)) {
      if (isFile && name.startsWith("esbuild")) return `${directory}/${name}`;
    }
  }
  throw new Error(`Cannot find esbuild: "${cache}" holds none`);
}

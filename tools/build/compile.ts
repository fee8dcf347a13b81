/** The build by `deno compile`, where its base binary (denort) can be had. */
import { type Bundle, replaceWorkerUrls } from "./bundle.ts";
import { denoDirectory } from "./esbuild.ts";
import { run } from "./run.ts";

/** Where `deno compile` would take its base from, in words, or `undefined` when it would have to fetch it. */
export async function findCompileBase(): Promise<string | undefined> {
  const named = Deno.env.get("DENORT_BIN");
  if (named) return `DENORT_BIN=${named}`;
  const { target } = Deno.build;
  const version = Deno.version.deno;
  const zip =
    `${await denoDirectory()}/dl/release/v${version}/denort-${target}.zip`;
  const found = await Deno.stat(zip).catch(() => undefined);
  return found?.isFile ? zip : undefined;
}

/** Compiles the bundle to `output`. */
export async function compileBuild(
  bundle: Bundle,
  { output, flags = [] }: { output: string; flags?: readonly string[] },
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of bundle.modules) {
      const place = (worker: string) =>
        `new URL("./${worker}",import.meta.url)`;
      await Deno.writeTextFile(
        `${directory}/${name}`,
        replaceWorkerUrls(text, bundle.workers, place),
      );
    }
    const workers = [...bundle.workers.values()].flatMap((name) => [
      "--include",
      name,
    ]);
    await run(Deno.execPath(), [
      "compile",
      "--allow-all",
      "--quiet",
      "--no-check",
      "--no-config",
      "--no-lock",
      ...flags,
      ...workers,
      "--output",
      output,
      bundle.main,
    ], { cwd: directory });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

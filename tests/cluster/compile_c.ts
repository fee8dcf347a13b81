/** Small programs in C that the tests need. */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { must } from "./command.ts";
import { cacheDir } from "./paths.ts";

const flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"];

/** Compiles the file `source`, once for each content. Resolves to the path of the program, or of the library to preload. */
export async function compileC(
  source: string,
  { isLibrary = false } = {},
): Promise<string> {
  const text = await Deno.readFile(source);
  const key = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const path = join(cacheDir, `${basename(source, ".c")}-${key}`);
  if (await Deno.stat(path).catch(() => undefined)) return path;
  await Deno.mkdir(cacheDir, { recursive: true });
  const scratch = `${path}.${crypto.randomUUID()}`;
  const kind = isLibrary ? ["-shared", "-fPIC"] : [];
  await must(["gcc", ...flags, ...kind, "-o", scratch, source]);
  await Deno.rename(scratch, path);
  return path;
}

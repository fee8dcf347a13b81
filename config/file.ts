/**
 * The configuration file.
 *
 * 1. YAML, of which JSON is a part: one document; an empty one says nothing.
 * 2. Its shape is the published schema's. All that is wrong is told at once, each with its line.
 */
import { ConfigError } from "./error.ts";
import type { Layer } from "./layer.ts";

/** Where it is: what `TP_CONFIG` says, else in the directory of the XDG specification. */
export function configPath(env: Record<string, string>): string {
  if (env["TP_CONFIG"]) return env["TP_CONFIG"];
  const base = env["XDG_CONFIG_HOME"] || `${env["HOME"] ?? "/root"}/.config`;
  return `${base}/tp/config.yml`;
}

/**
 * What the file says; `undefined` when there is none. One that `TP_CONFIG` names must be there.
 *
 * @throws {ConfigError}
 */
export async function readConfigFile(
  env: Record<string, string>,
): Promise<Layer | undefined> {
  const path = configPath(env);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const isAbsent = cause instanceof Deno.errors.NotFound;
    if (isAbsent && !env["TP_CONFIG"]) return undefined;
    const state = isAbsent
      ? "there is no such file (TP_CONFIG names it)"
      : (cause as Error).message;
    throw new ConfigError(`Cannot read "${path}": ${state}`, [], { cause });
  }
  const { parseConfig } = await import("./parse.ts");
  return parseConfig(text, path);
}

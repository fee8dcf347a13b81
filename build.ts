/** What this executable is and how to start it again. Imports nothing. */

/** The release, as in `tp version` and in the image's tag. */
export const version = "0.1.0";

/** What both ends of a session call themselves. */
export const product = `tp/${version}`;

/** The image of manager and agent that belongs to this release. `TP_IMAGE` overrides it. */
export const defaultImage = `ghcr.io/tp-dev/tp:${version}`;

/** How the program was put together: by `deno compile`, as the portable executable, or run from source. */
export type BuildKind = "compile" | "portable" | "source";

export function buildKind(): BuildKind {
  if (Deno.build.standalone) return "compile";
  return import.meta.url.startsWith("file:///proc/self/fd/")
    ? "portable"
    : "source";
}

/** The command line that starts this same program with `args`. */
export function selfCommand(args: string[]): [string, ...string[]] {
  if (buildKind() !== "source") return [Deno.execPath(), ...args];
  const main = new URL("./main.ts", import.meta.url).pathname;
  return [Deno.execPath(), "run", "-A", "--quiet", main, ...args];
}

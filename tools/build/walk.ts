const skipped = new Set(["node_modules", "dist", "tests", "tools", "bench"]);

/** The paths below `root`, relative to it, of the program's files whose name ends with `suffix`; in sorted order. */
export async function* walk(
  root: string,
  suffix: string,
  prefix = "",
): AsyncIterable<string> {
  const entries = [];
  for await (const entry of Deno.readDir(`${root}/${prefix}`)) {
    entries.push(entry);
  }
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory, isFile } of entries) {
    if (name.startsWith(".") || skipped.has(name)) continue;
    if (isDirectory) yield* walk(root, suffix, `${prefix}${name}/`);
    if (isFile && name.endsWith(suffix)) yield prefix + name;
  }
}

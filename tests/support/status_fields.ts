/** The fields of `tp status --output json`, as a value has them and as they are documented. */

/** Paths of all fields, such as `a.b[].c`. */
export function fieldsOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((one) => fieldsOf(one, `${path}[]`));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const own = path === "" ? name : `${path}.${name}`;
    return [own, ...fieldsOf(field, own)];
  });
}

/** Paths and types in the table of docs/status.md. */
export async function documentedFields(): Promise<Map<string, string>> {
  const file = new URL("../../docs/status.md", import.meta.url);
  const rows = (await Deno.readTextFile(file))
    .matchAll(/^\| `([\w.[\]]+)\??`\s+\| (\w+)\s+\|/gm);
  return new Map([...rows].map(([, path, type]) => [path!, type!]));
}

/** Those fields of `status` that are not documented. The lists of what is held are all documented as intercepts. */
export async function undocumented(status: unknown): Promise<string[]> {
  const known = await documentedFields();
  return fieldsOf(status)
    .map((path) =>
      path.replace(
        /\.(replacements|wiretaps|ingests|proxy_vias)\[\]/,
        ".intercepts[]",
      )
    )
    .filter((path) => !known.has(path));
}

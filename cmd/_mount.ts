/** What `--mount` says; `undefined`: nothing is mounted. */
export type Mount =
  | { readonly directory?: string; readonly readOnly: boolean }
  | "off";

/** Reads `true`, `false` or `DIRECTORY[:ro]`; a directory is below `base`: where the command runs, unless told. */
export function parseMount(text: string, base = Deno.cwd()): Mount {
  if (text === "false") return "off";
  const readOnly = text.endsWith(":ro");
  const directory = readOnly ? text.slice(0, -":ro".length) : text;
  if (directory === "true") return { readOnly };
  if (directory === "") {
    throw new SyntaxError(
      `Cannot mount at "${text}": it is not true, false or a directory`,
    );
  }
  return {
    directory: directory.startsWith("/") ? directory : `${base}/${directory}`,
    readOnly,
  };
}

/** Variables of an environment as a file, in the syntax of who reads it. Pure. */

export const envSyntaxes = [
  ...["docker", "compose", "sh", "sh:export", "csh", "csh:export"] as const,
  ...["cmd", "json", "ps", "ps:export"] as const,
] as const;
export type EnvSyntax = typeof envSyntaxes[number];

export interface EnvText {
  readonly text: string;
  /** Variables that this syntax cannot hold. */
  readonly omitted: readonly string[];
}

interface Writer {
  /** What names may be like; any when absent. */
  readonly names?: RegExp;
  /** A line, or several; `undefined` when the value cannot be written. */
  write(name: string, value: string): string | undefined;
}

const identifier = /^[A-Za-z_]\w*$/;
const hasNewline = /[\n\r]/;

const writers: Record<Exclude<EnvSyntax, "json">, Writer> = {
  // `docker run --env-file` takes each line as it is.
  docker: {
    names: /^[^\s#=]+$/,
    write: (name, value) =>
      hasNewline.test(value) ? undefined : `${name}=${value}`,
  },
  compose: {
    names: /^[A-Za-z_][\w.-]*$/,
    write: (name, value) => `${name}=${quoteCompose(value)}`,
  },
  sh: {
    names: identifier,
    write: (name, value) => `${name}=${quoteSh(value)}`,
  },
  "sh:export": {
    names: identifier,
    write: (name, value) => `export ${name}=${quoteSh(value)}`,
  },
  csh: {
    names: identifier,
    write: (name, value) => `set ${name}=${quoteCsh(value)}`,
  },
  "csh:export": {
    names: identifier,
    write: (name, value) => `setenv ${name} ${quoteCsh(value)}`,
  },
  cmd: {
    names: /^[^\s=%"]+$/,
    // A quote in the value would end the word, and what follows it could be a command.
    write: (name, value) =>
      hasNewline.test(value) || value.includes('"')
        ? undefined
        : `set "${name}=${value.replaceAll("%", "%%")}"`,
  },
  ps: {
    names: identifier,
    write: (name, value) => `$${name}=${quotePs(value)}`,
  },
  "ps:export": {
    names: /^[^{}`:\n]+$/,
    write: (name, value) =>
      `${identifier.test(name) ? `$Env:${name}` : `\${Env:${name}}`}=${
        quotePs(value)
      }`,
  },
};

/** In the order of names. */
export function formatEnv(
  environment: Readonly<Record<string, string>>,
  syntax: EnvSyntax,
): EnvText {
  const variables = Object.entries(environment)
    .toSorted(([a], [b]) => a < b ? -1 : 1);
  if (syntax === "json") {
    const object = Object.fromEntries(variables);
    return { text: JSON.stringify(object, null, 2) + "\n", omitted: [] };
  }
  const { names, write } = writers[syntax];
  const lines: string[] = [];
  const omitted: string[] = [];
  for (const [name, value] of variables) {
    const isName = names === undefined || names.test(name);
    const line = isName ? write(name, value) : undefined;
    if (line === undefined) omitted.push(name);
    else lines.push(line);
  }
  const end = syntax === "cmd" ? "\r\n" : "\n";
  return { text: lines.map((line) => line + end).join(""), omitted };
}

/** A file of Compose is read as double quotes of a shell are, with escapes. */
function quoteCompose(value: string): string {
  if (/^[\w./:@%+,-]*$/.test(value)) return value;
  const escaped = value.replace(/[\\"$]/g, "\\$&")
    .replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `"${escaped}"`;
}

function quoteSh(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Within quotes too, `!` is history and a line end is the end, unless escaped. */
function quoteCsh(value: string): string {
  return quoteSh(value).replace(/[!\n]/g, "\\$&");
}

/** What a typesetter takes for a single quote is one for PowerShell. */
function quotePs(value: string): string {
  return `'${value.replace(/['\u2018-\u201b]/g, "$&$&")}'`;
}

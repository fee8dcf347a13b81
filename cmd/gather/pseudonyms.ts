/** Something with a name that is not to be told. */
export interface Named {
  /** What stands before the number. */
  kind: string;
  name: string;
}

/** Names as short as these are parts of too much else. */
const shortest = 2;

/**
 * Puts for each name its kind and a number wherever it stands as a word of its own; the same name is the same pseudonym
 * everywhere. A name within another, such as a workload's within its pod's, does not count there.
 */
export function pseudonymizer(
  all: readonly Named[],
): (text: string) => string {
  const pseudonyms = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const { kind, name } of all) {
    if (name.length < shortest || pseudonyms.has(name)) continue;
    const number = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, number);
    pseudonyms.set(name, `${kind}-${number}`);
  }
  if (pseudonyms.size === 0) return (text) => text;
  const longestFirst = [...pseudonyms.keys()]
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(
    `(?<![\\w-])(?:${longestFirst.join("|")})(?![\\w-])`,
    "g",
  );
  return (text) => text.replace(pattern, (name) => pseudonyms.get(name)!);
}

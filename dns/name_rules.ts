import { Ip } from "../net/mod.ts";
import { Fqdn } from "./name.ts";

/** What a user says of names, as it stands in a request or a file. What is absent says nothing. */
export interface NameSettings {
  /** Names that end so are asked of the cluster, and its word is the last. */
  readonly includeSuffixes?: readonly string[];
  /** Names that end so are the host's, unless an included suffix that is as long or longer fits too. */
  readonly excludeSuffixes?: readonly string[];
  /** Names that are the host's. */
  readonly excludes?: readonly string[];
  /** Names that stand for another name, or for an address. */
  readonly mappings?: readonly NameMapping[];
  /** Namespaces called like a top-level domain whose services are known as `svc.ns` nonetheless. */
  readonly servedTopLevelNamespaces?: readonly string[];
}

export interface NameMapping {
  readonly name: string;
  readonly aliasFor: string;
}

/** {@link NameSettings} as values. */
export interface NameRules {
  readonly includeSuffixes: readonly Fqdn[];
  readonly excludeSuffixes: readonly Fqdn[];
  /** Keys of names. */
  readonly excludes: ReadonlySet<string>;
  /** What a name stands for, by its key. */
  readonly aliases: ReadonlyMap<string, Fqdn | Ip>;
  readonly servedTopLevelNamespaces: ReadonlySet<string>;
}

/** The rules of a user who says nothing. */
export const noRules: NameRules = parseNameRules({});

/**
 * Parses what a user says. A suffix may begin with a dot, every name end with one.
 *
 * @throws {SyntaxError} for what is no name, and for names that stand for each other in a circle.
 */
export function parseNameRules(settings: NameSettings): NameRules {
  const { mappings = [] } = settings;
  const aliases = new Map(mappings.map(({ name, aliasFor }) => [
    parseName("mappings", name).key,
    Ip.tryParse(aliasFor) ?? parseName("mappings", aliasFor),
  ]));
  for (const { name } of mappings) mustEnd(name, aliases);
  return {
    includeSuffixes: parseSuffixes("includeSuffixes", settings.includeSuffixes),
    excludeSuffixes: parseSuffixes("excludeSuffixes", settings.excludeSuffixes),
    excludes: new Set(
      (settings.excludes ?? []).map((name) => parseName("excludes", name).key),
    ),
    aliases,
    servedTopLevelNamespaces: new Set(settings.servedTopLevelNamespaces),
  };
}

/** True when `rules` give a name to the host, by itself or by how it ends. */
export function isExcluded(name: Fqdn, rules: NameRules): boolean {
  if (rules.excludes.has(name.key)) return true;
  const excluded = longest(name, rules.excludeSuffixes);
  return excluded > 0 && excluded > longest(name, rules.includeSuffixes);
}

/** True when `rules` give a name to the cluster by how it ends. */
export function isIncluded(name: Fqdn, rules: NameRules): boolean {
  return longest(name, rules.includeSuffixes) > 0 && !isExcluded(name, rules);
}

/** Labels of the longest suffix that fits; 0 when none does. */
function longest(name: Fqdn, suffixes: readonly Fqdn[]): number {
  return Math.max(
    0,
    ...suffixes.filter((suffix) => name.isIn(suffix)).map((suffix) =>
      suffix.labels.length
    ),
  );
}

function parseSuffixes(field: string, texts: readonly string[] = []): Fqdn[] {
  return texts.map((text) => parseName(field, text.replace(/^\./, "")));
}

/** The root is no name of a rule: it would take all names. */
function parseName(field: string, text: string): Fqdn {
  try {
    const name = Fqdn.parse(text);
    if (name.labels.length > 0) return name;
  } catch { /* told below */ }
  throw new SyntaxError(`Cannot use dns.${field} "${text}": it is no name`);
}

function mustEnd(
  text: string,
  aliases: ReadonlyMap<string, Fqdn | Ip>,
): void {
  const seen = new Set<string>();
  let to: Fqdn | Ip | undefined = Fqdn.parse(text);
  while (to instanceof Fqdn) {
    if (seen.has(to.key)) {
      const state = "it stands for itself in the end";
      throw new SyntaxError(`Cannot use dns.mappings "${text}": ${state}`);
    }
    seen.add(to.key);
    to = aliases.get(to.key);
  }
}

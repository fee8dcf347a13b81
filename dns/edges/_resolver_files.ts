/**
 * The files that macOS has for zones below `/etc/resolver` (resolver(5)), one for each zone.
 *
 * Each names its zone itself, so that the file's name is ours to choose: the file that somebody else has for the same zone
 * stays as it is, and is asked after ours.
 */
import type { ResolverPlan } from "./edge.ts";

/** The first line of each; nobody else writes it. A shell script compares it, in single quotes. */
export const resolverFileMarker =
  "# Written by tp for as long as it is connected. tp quit takes this file away.";

/** What the names of our files begin with. */
export const resolverFilePrefix = "tp.";

/** What is to be done to the directory. */
export interface ResolverFiles {
  /** Texts by name, of files that are not there yet or say something else. */
  readonly write: ReadonlyMap<string, string>;
  /** Names of files of ours that have no use any more. */
  readonly remove: readonly string[];
  /** Zones whose file somebody else has. */
  readonly taken: readonly string[];
}

/** @param present Texts of the directory's files by name. */
export function planResolverFiles(
  plan: Pick<ResolverPlan, "nameserver" | "zones" | "search">,
  present: ReadonlyMap<string, string>,
): ResolverFiles {
  const wanted = new Map<string, string>();
  const taken: string[] = [];
  for (const zone of new Set([...plan.search, ...plan.zones])) {
    const name = `${resolverFilePrefix}${zone}`;
    const there = present.get(name);
    if (there !== undefined && !isOurs(name, there)) taken.push(zone);
    else wanted.set(name, fileText(zone, plan));
  }
  return {
    write: new Map(
      [...wanted].filter(([name, text]) => present.get(name) !== text),
    ),
    remove: ourResolverFiles(present).filter((name) => !wanted.has(name)),
    taken,
  };
}

/** The names of those that are ours, whoever wrote them: what is to be taken away at the end, or after a crash. */
export function ourResolverFiles(
  present: ReadonlyMap<string, string>,
): string[] {
  return [...present].filter(([name, text]) => isOurs(name, text))
    .map(([name]) => name).sort();
}

function isOurs(name: string, text: string): boolean {
  return name.startsWith(resolverFilePrefix) &&
    text.split("\n", 1)[0] === resolverFileMarker;
}

/** The search list of all stands in the file of its first domain. */
function fileText(
  zone: string,
  { nameserver, search }: Pick<ResolverPlan, "nameserver" | "search">,
): string {
  return [
    resolverFileMarker,
    `domain ${zone}`,
    `nameserver ${nameserver}`,
    "search_order 1",
    "timeout 5",
    ...zone === search[0] ? [`search ${search.join(" ")}`] : [],
    "",
  ].join("\n");
}

/**
 * Which of a workload's intercepts have the traffic, and in which order agents ask them. Pure.
 *
 * 1. Who came first goes first: by the object's time, which is a second; of two of the same one, who has the
 *    traffic already, then the UID.
 * 2. All traffic of a port is one intercept's at most, and so are the requests of one match.
 * 3. Intercepts with a match stand before those without; of two whose matches overlap the first gets what both mean.
 * 4. A wiretap takes nothing from anybody.
 *
 * Who is away takes no part: the next one has the traffic until he is back.
 */
import type { Intercept, InterceptSpec } from "../intercept.ts";
import { keyOf } from "./taken_ports.ts";

export interface Precedence {
  /** Those that have traffic, in the order of their rules. */
  readonly inForce: readonly Intercept[];
  /** By UID of one that has not: why. */
  readonly conflicts: ReadonlyMap<string, string>;
}

export function precedenceOf(
  intercepts: readonly Intercept[],
): Precedence {
  const inForce: Intercept[] = [];
  const conflicts = new Map<string, string>();
  for (const one of intercepts.toSorted(byAge)) {
    const holder = inForce.find((other) => excludes(other.spec, one.spec));
    if (holder === undefined) inForce.push(one);
    else conflicts.set(one.metadata.uid!, conflictWith(holder, one));
  }
  return { inForce: inForce.toSorted(byMatch), conflicts };
}

function byAge(a: Intercept, b: Intercept): number {
  const [older, younger] = [ageKeyOf(a), ageKeyOf(b)];
  return older < younger ? -1 : older > younger ? 1 : 0;
}

function ageKeyOf({ metadata, status }: Intercept): string {
  const isNew = status?.phase !== "Active";
  return `${metadata.creationTimestamp} ${isNew} ${metadata.uid}`;
}

/** The sort is stable: of equals, who came first. */
function byMatch(a: Intercept, b: Intercept): number {
  return Number(a.spec.match === undefined) -
    Number(b.spec.match === undefined);
}

function excludes(a: InterceptSpec, b: InterceptSpec): boolean {
  if (!takesTraffic(a) || !takesTraffic(b)) return false;
  if (a.mode === "replace" && b.mode === "replace") {
    if (a.container === b.container) return true;
  }
  return sharedPort(a, b) !== undefined &&
    matchKeyOf(a) === matchKeyOf(b);
}

function takesTraffic({ mode }: InterceptSpec): boolean {
  return mode === "intercept" || mode === "replace";
}

function sharedPort(a: InterceptSpec, b: InterceptSpec) {
  const keys = new Set(a.ports.map(keyOf));
  return b.ports.find((port) => keys.has(keyOf(port)));
}

/** Equal for matches that mean the same; empty for all traffic. */
function matchKeyOf({ match }: InterceptSpec): string {
  if (match === undefined) return "";
  const { combine, headers = [], path, methods = [] } = match;
  const conditions = headers.map(({ name, kind, value }) =>
    JSON.stringify([name.toLowerCase(), kind, value])
  );
  const count = conditions.length + (path ? 1 : 0) + (methods.length ? 1 : 0);
  return JSON.stringify([
    // Of one condition, all and any are the same.
    count > 1 ? combine : "all",
    conditions.toSorted(),
    path ? [path.kind, path.value] : [],
    methods.map((method) => method.toUpperCase()).toSorted(),
  ]);
}

function conflictWith({ spec: holder }: Intercept, { spec }: Intercept) {
  const port = sharedPort(holder, spec);
  const { workload: { kind, name } } = spec;
  const what = port
    ? `port ${port.port} of ${kind} "${name}"`
    : `container "${spec.container}" of ${kind} "${name}"`;
  const same = spec.match ? " with the same match" : "";
  const { owner, client, name: by } = holder;
  return `${what} is intercepted${same} by ${owner} (${client}) as "${by}"`;
}

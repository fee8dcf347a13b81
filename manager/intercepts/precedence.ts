/**
 * Which of a workload's intercepts have the traffic, and in which order agents ask them. Pure.
 *
 * 1. Who came first goes first: by the object's time, which is a second; of two of the same one, who has the
 *    traffic already, then the UID.
 * 2. All traffic of a port is one intercept's at most, and so are the requests of one match.
 * 3. Intercepts with a match stand before those without; of two whose matches overlap the first gets what both mean.
 * 4. A wiretap takes nothing from anybody.
 * 5. Who comes when all rules together are as long as agents take waits until others have left.
 *
 * Who is away takes no part: the next one has the traffic until he is back.
 */
import type { Intercept, InterceptSpec } from "../intercept.ts";
import { keyOf } from "./taken_ports.ts";

/** Of all rules of a workload as JSON, each with what is not its author's: agents take four times as many octets. */
const maxRulesLength = 1024 * 1024;
const restLength = 512;

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
  /** Places in {@link inForce}. Users make as many intercepts as they like, so each is looked at once. */
  const holders = new Map<string, number>();
  let length = 0;
  for (const one of intercepts.toSorted(byAge)) {
    const claims = claimsOf(one.spec);
    const held = claims.flatMap((claim) => holders.get(claim) ?? []);
    const holder = inForce[Math.min(...held)];
    const longer = length + ruleLengthOf(one.spec);
    if (holder !== undefined) {
      conflicts.set(one.metadata.uid!, conflictWith(holder, one));
    } else if (longer > maxRulesLength) {
      conflicts.set(one.metadata.uid!, noRoomFor(one));
    } else {
      for (const claim of claims) holders.set(claim, inForce.length);
      inForce.push(one);
      length = longer;
    }
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

/** What one intercept at a time can have. */
function claimsOf(spec: InterceptSpec): string[] {
  const { mode, ports, container } = spec;
  if (mode !== "intercept" && mode !== "replace") return [];
  const match = matchKeyOf(spec);
  return [
    ...ports.map((port) => `port ${keyOf(port)} ${match}`),
    ...mode === "replace" ? [`container ${container}`] : [],
  ];
}

function ruleLengthOf(
  { ports, match, subnets, owner, mode }: InterceptSpec,
): number {
  if (mode === "ingest") return 0;
  return JSON.stringify([ports, match, subnets, owner]).length + restLength;
}

function noRoomFor({ spec: { workload: { kind, name } } }: Intercept): string {
  return `the conditions of all intercepts of ${kind} "${name}" together ` +
    "are too long for its agents";
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

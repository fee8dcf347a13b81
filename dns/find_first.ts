/** Asks clusters for a name, one after the other, until one knows it. */
import type { Clock, Ip } from "../net/mod.ts";
import type { Answer } from "./answer.ts";
import type { AgedAnswer, ClusterQuestion } from "./cluster_resolver.ts";
import type { Meant, Readings, ServedCluster } from "./clusters.ts";
import type { Fqdn } from "./name.ts";
import { responseCodes } from "./question.ts";

/**
 * How long the asker of a name in the cluster is left without a word over UDP. A resolver that waits for longer than a
 * second asks the host's next nameserver, which knows no such name, and the app would believe that.
 */
export const wordMs = 700;

/** How long another cluster waits for one that is away: what is asked of both must still get a word in time. */
const awayMs = 300;

/** What a cluster says. */
export interface Found {
  readonly by: "cluster";
  readonly reading: Meant;
  readonly aged: AgedAnswer;
  /** The full name that it was asked for. */
  readonly name: Fqdn;
}

/** What the user of a cluster says. */
export interface FoundAlias {
  readonly by: "alias";
  readonly of: Fqdn | Ip;
  readonly cluster: ServedCluster;
}

export interface FindOptions extends Omit<ClusterQuestion, "name"> {
  clock: Clock;
  /** How long the question to the first cluster has waited to be asked, or what says so when it may be. Not when absent. */
  waitedMs?: number | Promise<number | undefined>;
}

/**
 * What is said by the first that knows the name, or else by the first that was asked. One that is away is asked for its
 * word last; `undefined` when it is a cluster that asks.
 *
 * @throws {Error} when one that counts has no answer.
 */
export async function findFirst(
  readings: Readings,
  options: FindOptions,
): Promise<Found | FoundAlias | undefined> {
  const late: Promise<Found | undefined>[] = [];
  let unknown: Found | undefined;
  for (const reading of readings) {
    const { decision, cluster } = reading;
    if (decision.by === "alias") {
      return { by: "alias", of: decision.of, cluster };
    }
    const isFirst = reading === readings[0];
    const asking = ask(
      ...[reading, decision.names] as const,
      isFirst ? options : { ...options, waitedMs: 0 },
    );
    const isPassed = reading !== readings.at(-1) && cluster.isAway?.();
    const found = await (isPassed ? word(asking, options) : asking);
    if (found === "late") late.push(asking);
    else if (found === undefined || !isUnknown(found.aged.answer)) return found;
    else unknown ??= found;
  }
  for (const asking of late) {
    const found = await asking;
    if (found === undefined || !isUnknown(found.aged.answer)) return found;
    unknown ??= found;
  }
  return unknown;
}

/** What a cluster says that is away, if it says it soon. */
function word(
  asking: Promise<Found | undefined>,
  { clock }: FindOptions,
): Promise<Found | undefined | "late"> {
  const after = (late: () => void) => clock.after(awayMs, late);
  return soon(asking, after).catch(() => "late" as const);
}

/** A name that is an alias is known, whatever is said of what it stands for. */
export function isUnknown({ responseCode, answers }: Answer): boolean {
  return responseCode === responseCodes.noSuchName && answers.length === 0;
}

/**
 * What `asking` gives, or "late" when it takes longer than what a resolver waits for.
 *
 * @param after Calls `late` after that time. Returns how to call it off.
 */
export function soon<T>(
  asking: Promise<T>,
  after: (late: () => void) => () => void,
): Promise<T | "late"> {
  return new Promise((resolve, reject) => {
    const callOff = after(() => resolve("late"));
    asking.then(resolve, reject).then(callOff);
  });
}

/** What the cluster says of the first of `names` that it knows, or of the last. */
async function ask(
  reading: Meant,
  names: readonly [Fqdn, ...Fqdn[]],
  { type, class: kind, waitedMs = 0 }: FindOptions,
): Promise<Found | undefined> {
  const { resolver } = reading.cluster;
  const waited = typeof waitedMs === "number" ? waitedMs : await waitedMs;
  for (let i = 0;; i++) {
    const name = names[i]!;
    const aged = await resolver.ask({ name, type, class: kind }, waited);
    if (aged === undefined) return undefined;
    const isLast = i === names.length - 1;
    if (isLast || !isUnknown(aged.answer)) {
      return { by: "cluster", reading, aged, name };
    }
  }
}

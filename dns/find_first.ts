/** Asks clusters for a name, one after the other, until one knows it. */
import type { Clock, Ip } from "../net/mod.ts";
import type { Answer } from "./answer.ts";
import type { AgedAnswer } from "./cache.ts";
import type { Reading } from "./choose_cluster.ts";
import type { ClusterQuestion } from "./cluster_resolver.ts";
import type { ServedCluster } from "./clusters.ts";
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
  readonly reading: Reading<ServedCluster>;
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
}

/**
 * What is said by the first that knows the name, or else by the first that was asked. One that is away is asked for its
 * word last; `undefined` when it is a cluster that asks.
 *
 * @throws {Error} when one that counts has no answer.
 */
export async function findFirst(
  readings: readonly [Reading<ServedCluster>, ...Reading<ServedCluster>[]],
  options: FindOptions,
): Promise<Found | FoundAlias | undefined> {
  const late: Promise<Found | undefined>[] = [];
  let unknown: Found | undefined;
  for (const [i, reading] of readings.entries()) {
    const { decision, cluster } = reading;
    if (decision.by === "alias") {
      return { by: "alias", of: decision.of, cluster };
    }
    const asking = ask(reading, { ...options, names: decision.names });
    const isPassed = i + 1 < readings.length && cluster.isAway?.();
    const found = await (isPassed
      ? soon(asking, options.clock, awayMs).catch(() =>
        "late" as const
      )
      : asking);
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

/** A name that is an alias is known, whatever is said of what it stands for. */
export function isUnknown({ responseCode, answers }: Answer): boolean {
  return responseCode === responseCodes.noSuchName && answers.length === 0;
}

/** What `asking` gives, or "late" when it takes longer than what a resolver waits for. */
export async function soon<T>(
  asking: Promise<T>,
  clock: Clock,
  ms = wordMs,
): Promise<T | "late"> {
  const late = Promise.withResolvers<"late">();
  const callOff = clock.after(ms, () => late.resolve("late"));
  try {
    return await Promise.race([asking, late.promise]);
  } finally {
    callOff();
  }
}

/** What the cluster says of the first of `names` that it knows, or of the last. */
async function ask(
  reading: Reading<ServedCluster>,
  { names: [name, ...others], type, class: kind }:
    & Omit<ClusterQuestion, "name">
    & { names: readonly [Fqdn, ...Fqdn[]] },
): Promise<Found | undefined> {
  const question = { type, class: kind };
  const aged = await reading.cluster.resolver.ask({ name, ...question });
  const [next, ...rest] = others;
  return aged === undefined
    ? undefined
    : next === undefined || !isUnknown(aged.answer)
    ? { by: "cluster", reading, aged, name }
    : await ask(reading, { names: [next, ...rest], ...question });
}

/**
 * Which streams should move alone to other carriers, so that bulk is spread and small flows find a carrier without it.
 *
 * 1. Bulk is who has moved much since the last look, both for itself and beside who has moved most.
 * 2. One carrier is quiet as long as it lives: its bulk goes to the others. It is that with the most small flows.
 * 3. Among the others none has two bulk streams more than another for long.
 * 4. Who has not been bulk for long and is used beside bulk goes to the quiet one.
 */
import type { Carrier } from "./carrier.ts";
import type { Stream } from "./stream.ts";

const lookMs = 50;
/** After so long without a look it is not known in what time streams have moved what they have. */
const staleMs = 1000;
/** Bytes from look to look that make bulk of a stream, unless another moves so many times as much. */
const bulkBytes = 32 * 1024;
const smallShare = 16;
/** Who was bulk at so many looks in a row goes to another carrier: one answer, however long, is not worth it. */
const looksToMove = 2;
const calmMs = 2000;
/** Who was sent to a carrier without others' bulk stays for so long: streams that are bulk on and off are not sent about. */
const restMs = 10_000;

/** A stream, and the carrier to which it should go. */
export interface Change {
  readonly stream: Stream;
  readonly to: Carrier;
}

/** What is on one carrier. */
interface Load {
  readonly carrier: Carrier;
  readonly bulk: Stream[];
  readonly small: Stream[];
  streams: number;
}

export class Balance {
  #lookedMs = -Infinity;
  #quiet: Carrier | undefined;
  /** Streams that were bulk at the last look. */
  bulkStreams = 0;

  /** Whether it is time to look. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#lookedMs >= lookMs;
  }

  /**
   * Looks at all `streams`.
   *
   * @param options.carriers The live ones.
   * @param options.mayChange False while what was said at an earlier look is still being done.
   */
  look(
    nowMs: number,
    { streams, carriers, mayChange = true }: {
      streams: Iterable<Stream>;
      carriers: Iterable<Carrier>;
      mayChange?: boolean;
    },
  ): Change[] {
    const isStale = nowMs - this.#lookedMs >= staleMs;
    this.#lookedMs = nowMs;
    this.bulkStreams = 0;
    const loads = new Map<Carrier, Load>();
    for (const carrier of usual(carriers)) {
      loads.set(carrier, { carrier, bulk: [], small: [], streams: 0 });
    }
    const used: { stream: Stream; bytes: number }[] = [];
    let leastBulk = bulkBytes;
    for (const stream of streams) {
      const load = loads.get(stream.carrier!);
      if (load !== undefined) load.streams++;
      const { movedBytes } = stream;
      const bytes = movedBytes - stream.seenBytes;
      stream.seenBytes = movedBytes;
      if (isStale || bytes <= 0) stream.bulkLooks = 0;
      if (bytes > 0) used.push({ stream, bytes });
      leastBulk = Math.max(leastBulk, bytes / smallShare);
    }
    if (isStale) return [];
    for (const { stream, bytes } of used) {
      const load = loads.get(stream.carrier!);
      if (bytes >= leastBulk) {
        this.bulkStreams++;
        stream.bulkLooks++;
        stream.lastBulkMs = nowMs;
        load?.bulk.push(stream);
      } else {
        stream.bulkLooks = 0;
        if (nowMs - stream.lastBulkMs >= calmMs) load?.small.push(stream);
      }
    }
    const changes: Change[] = [];
    while (mayChange && changes.length < used.length) {
      const change = this.#choose([...loads.values()], nowMs);
      if (change === undefined) break;
      change.stream.lastSentMs = nowMs;
      reckon(loads, change);
      changes.push(change);
    }
    return changes;
  }

  #choose(loads: readonly Load[], nowMs: number): Change | undefined {
    if (loads.length < 2) return undefined;
    let quiet = loads.find((one) => one.carrier === this.#quiet);
    quiet ??= loads.toSorted((a, b) => smallOf(b) - smallOf(a) || byBulk(a, b))
      .at(0)!;
    this.#quiet = quiet.carrier;
    const others = loads.filter((one) => one !== quiet).toSorted(byBulk);
    const [least, most] = [others[0]!, others.at(-1)!];
    const isUneven = most.bulk.length - least.bulk.length >= 2;
    const rested = most.bulk.filter((one) => nowMs - one.lastSentMs >= restMs);
    const stream = moving(quiet.bulk) ??
      (isUneven ? moving(rested) : undefined);
    if (stream !== undefined) return { stream, to: least.carrier };
    const small = others.find((one) =>
      one.bulk.length > 0 && one.small.length > 0
    )?.small[0];
    return small && { stream: small, to: quiet.carrier };
  }
}

/** As if `change` had been made. */
function reckon(loads: Map<Carrier, Load>, { stream, to }: Change): void {
  const [from, there] = [loads.get(stream.carrier!)!, loads.get(to)!];
  from.streams--;
  there.streams++;
  for (const line of ["bulk", "small"] as const) {
    const at = from[line].indexOf(stream);
    if (at < 0) continue;
    from[line].splice(at, 1);
    there[line].push(stream);
  }
}

/** Those on which streams are to be: shortcuts, if there are such. While one is suspect, all stays as it is. */
function usual(carriers: Iterable<Carrier>): Carrier[] {
  const live = [...carriers];
  if (live.some((one) => one.isSuspect)) return [];
  const used = live.filter((one) => one.isConfirmed);
  const shortcuts = used.filter((one) => one.isShortcut);
  return shortcuts.length > 0 ? shortcuts : used;
}

function smallOf({ streams, bulk }: Load): number {
  return streams - bulk.length;
}

function byBulk(a: Load, b: Load): number {
  return a.bulk.length - b.bulk.length || a.streams - b.streams;
}

function moving(bulk: readonly Stream[]): Stream | undefined {
  return bulk.find((one) => one.mayChange && one.bulkLooks >= looksToMove);
}

/** What processes cost while more and more streams are open: idle, and asked now and then. */
import { sleep } from "../../tests/cluster/mod.ts";
import { table } from "../measure/table.ts";
import { costOf, megabytes, percent } from "./process_cost.ts";
import type { RemoteHolder } from "./remote_holder.ts";
import { formatSlope, slopeOf } from "./slope.ts";

export interface StreamsOptions {
  /** How many streams are open, in turn. */
  readonly sizes: readonly number[];
  /** How long each size is watched, idle and then asked. */
  readonly seconds: number;
}

/** Requests a second, over all streams in turn. */
const perSecond = 200;
/** What each stream moves at last: does it hold more when it is idle again? */
const filledBytes = 256 * 1024;
/** How long processes get to come to rest. */
const restMs = 1_000;

/** @param pids The processes that are watched, by their names; the first is told more of. */
export async function measureStreams(
  holder: RemoteHolder,
  pids: Readonly<Record<string, number>>,
  { sizes, seconds }: StreamsOptions,
): Promise<string> {
  const names = Object.keys(pids);
  const first = names[0]!;
  const rows = [[
    ...["streams", "opened/s", ...names.map((name) => `${name} MB`)],
    ...["idle CPU %", "p50 us", "p99 us", "CPU us/request"],
  ]];
  const memory: { count: number; rssMb: Record<string, number> }[] = [];
  let open = 0;
  for (const count of sizes) {
    const ms = await holder.grow("streams", count);
    await sleep(restMs);
    const idle = await costOf(pids, () => sleep(seconds * 1000));
    const rssMb = names.map((name) => [name, idle[name]!.memory.rssMb]);
    memory.push({ count, rssMb: Object.fromEntries(rssMb) });
    const rate = (count - open) / ms * 1000;
    rows.push([
      String(count),
      count > open ? rate.toFixed(0) : "",
      ...names.map((name) => megabytes(idle[name]!)),
      percent(idle[first]!),
      ...count > 0
        ? await asked(holder, { first, pids, seconds })
        : ["", "", ""],
    ]);
    open = count;
  }
  const slopes = names.map((name) =>
    formatSlope(
      `${name}, each stream`,
      slopeOf(memory.map(({ count, rssMb }) => [count, rssMb[name]!])),
    )
  );
  await holder.fill(filledBytes);
  await sleep(restMs);
  const after = await costOf(pids, () => sleep(seconds * 1000));
  const held = names.map((name) => `${name} ${megabytes(after[name]!)} MB`);
  const words = `after ${filledBytes / 1024} KiB on each stream: `;
  return [table(rows), ...slopes, words + held.join(", ")].join("\n");
}

async function asked(
  holder: RemoteHolder,
  { first, pids, seconds }: {
    first: string;
    pids: Readonly<Record<string, number>>;
    seconds: number;
  },
): Promise<string[]> {
  let [count, p50Us, p99Us] = [0, 0, 0];
  const busy = await costOf(pids, async () => {
    ({ count, p50Us, p99Us } = await holder.ask({ perSecond, seconds }));
  });
  const each = busy[first]!.cpu / count * 1e6;
  return [`${p50Us}`, `${p99Us}`, each.toFixed(0)];
}

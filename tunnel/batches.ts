/** Batches that no outbox uses at the moment: an idle carrier holds none, one with little to say a small one. */
import { Batch } from "./batch.ts";
import { headerBytes, maxDataBytes } from "./frame.ts";

/** Holds any frame but DATA and DATAGRAM. */
const smallBytes = 20 * 1024;
/** Four full frames of data and some control frames. */
const largeBytes = 4 * (maxDataBytes + 2 * headerBytes) + 4 * 1024;
/** A manager tells all its sessions something in the same moment. */
const spareSmallLimit = 256;
const spareLargeLimit = 8;
const spareSmall: Batch[] = [];
const spareLarge: Batch[] = [];

export function takeBatch(): Batch {
  return spareSmall.pop() ?? new Batch(smallBytes);
}

/** A large one in the place of `batch`, of which nothing is needed any more. */
export function enlarge(batch: Batch): Batch {
  if (isLarge(batch)) return batch;
  giveBatch(batch);
  return spareLarge.pop() ?? new Batch(largeBytes);
}

export function isLarge(batch: Batch): boolean {
  return batch.bytes.length === largeBytes;
}

/** Ends the use of `batch`; nobody may hold it or its bytes. */
export function giveBatch(batch: Batch): void {
  const [spare, limit] = isLarge(batch)
    ? [spareLarge, spareLargeLimit]
    : [spareSmall, spareSmallLimit];
  if (spare.length < limit) spare.push(batch);
}

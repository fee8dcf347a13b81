import assert from "node:assert/strict";
import type { SnapshotSection } from "../cluster/mod.ts";

/** Fails with the lines that differ between two snapshots of a laptop, in sections that are not excepted. */
export function assertSameState(
  after: string,
  before: string,
  { apartFrom = [] }: { apartFrom?: readonly SnapshotSection[] } = {},
): void {
  const isCompared = (section: string) =>
    !apartFrom.some((title) => section.startsWith(`== ${title}\n`));
  const lines = (snapshot: string) =>
    snapshot.split(/^(?=== )/m).filter(isCompared).join("").split("\n");
  const [old, now] = [lines(before), lines(after)];
  const [oldLines, nowLines] = [new Set(old), new Set(now)];
  const differences = [
    ...old.filter((line) => !nowLines.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !oldLines.has(line)).map((line) => `+ ${line}`),
  ];
  assert.deepEqual(differences, []);
  assert.deepEqual(now, old);
}

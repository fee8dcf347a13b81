import assert from "node:assert/strict";

/** Fails with the lines that differ between two snapshots of a laptop. */
export function assertSameState(after: string, before: string): void {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const [oldLines, nowLines] = [new Set(old), new Set(now)];
  const differences = [
    ...old.filter((line) => !nowLines.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !oldLines.has(line)).map((line) => `+ ${line}`),
  ];
  assert.deepEqual(differences, []);
  assert.equal(after, before);
}

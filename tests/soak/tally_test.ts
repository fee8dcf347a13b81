import assert from "node:assert/strict";
import { Tally } from "./tally.ts";

Deno.test("Tally tells the slowest of each kind, and fails by a lost connection", () => {
  const tally = new Tally();
  tally.fault("reset", 20, 3_000);
  tally.fault("reset", 3_100, 3_000);
  tally.connections({ asked: 100, echoed: 100 });
  tally.checkedBytes = 1024 ** 3;
  for (const rssBytes of [100e6, 120e6, 110e6, 130e6]) {
    tally.footprint({ rssBytes, descriptors: 40 });
  }
  assert.deepEqual(tally.lines(), [
    "reset: 2, all go on after 3100 ms at most",
    "memory of the connector: 100 to 120 MB, then 110 to 130 MB",
    "2 faults (1 later than usual), 1.00 GiB compared, 100 new connections, 0 failed",
  ]);
  assert.equal(tally.hasFailed, false);
  tally.connections({ asked: 100, echoed: 99 });
  assert.equal(tally.hasFailed, true);
});

Deno.test("Tally fails by memory that grows and descriptors that stay", () => {
  const grows = (...sizes: number[]) => {
    const tally = new Tally();
    for (const rssBytes of sizes) tally.footprint({ rssBytes, descriptors: 1 });
    tally.judgeMemory();
    return tally.hasFailed;
  };
  assert.equal(grows(100e6, 200e6, 150e6, 260e6), false);
  assert.equal(grows(100e6, 150e6, 200e6, 250e6), true);
  assert.equal(grows(100e6), false);
  const keeps = (descriptors: number) => {
    const tally = new Tally();
    const before = { rssBytes: 0, descriptors: 40 };
    tally.descriptors(before, { rssBytes: 0, descriptors });
    return tally.hasFailed;
  };
  assert.equal(keeps(50), false);
  assert.equal(keeps(60), true);
});

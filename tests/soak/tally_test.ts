import assert from "node:assert/strict";
import { Tally } from "./tally.ts";

Deno.test("Tally tells the slowest of each kind, and fails by a lost connection", () => {
  const tally = new Tally();
  tally.fault("reset", 20, 3_000);
  tally.fault("reset", 3_100, 3_000);
  tally.connections({ asked: 100, echoed: 100 });
  tally.checkedBytes = 1024 ** 3;
  assert.deepEqual(tally.lines(), [
    "reset: 2, all go on after 3100 ms at most",
    "2 faults (1 later than usual), 1.00 GiB compared, 100 new connections, 0 failed",
  ]);
  assert.equal(tally.hasFailed, false);
  tally.connections({ asked: 100, echoed: 99 });
  assert.equal(tally.hasFailed, true);
});

Deno.test("Tally fails by what the connector keeps", () => {
  const before = { rssBytes: 100e6, descriptors: 40 };
  const keeps = (after: typeof before) => {
    const tally = new Tally();
    tally.footprints(before, after);
    return tally.hasFailed;
  };
  assert.equal(keeps({ rssBytes: 200e6, descriptors: 50 }), false);
  assert.equal(keeps({ rssBytes: 100e6, descriptors: 60 }), true);
  assert.equal(keeps({ rssBytes: 300e6, descriptors: 40 }), true);
});

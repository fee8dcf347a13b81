/** An intercept that is left while the API server cannot be reached. */
import assert from "node:assert/strict";
import { say, waitFor } from "../cluster/mod.ts";
import { openPlace, port } from "../support/intercept_place.ts";
import { deploySmall } from "../support/small_workloads.ts";

/** From the API server's being back to the end of the object. */
const goneMs = 15_000;

Deno.test("the object of an intercept that was left while the API server was away is deleted when it is back", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, tp, namespace, watch } = place;
  await deploySmall(cluster, namespace, { name: "left" });
  await tp.ok(["intercept", "left", ...port]);
  {
    await using _hole = await laptop.severCluster();
    await tp.ok(["leave", "left"]);
    assert.equal((await watch.names("intercepts")).length, 1);
  }
  const since = performance.now();
  await waitFor("end of the object", async () => {
    const left = await watch.names("intercepts");
    return left.length === 0 || left.join();
  }, { everyMs: 50, timeoutMs: 60_000 });
  const ms = Math.round(performance.now() - since);
  say(`left while the API server was away: no object ${ms} ms after it`);
  assert.ok(ms <= goneMs, `${ms} ms`);
  await tp.ok(["intercept", "left", ...port]);
  await tp.ok(["leave", "left"]);
  assert.deepEqual(await watch.names("intercepts"), []);
});

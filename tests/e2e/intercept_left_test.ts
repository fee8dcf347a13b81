/** An intercept that is left while the API server cannot be reached. */
import assert from "node:assert/strict";
import {
  type Cluster,
  type Laptop,
  must,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { openPlace, port } from "../support/intercept_place.ts";
import { deploySmall } from "../support/small_workloads.ts";

/** From the API server's being back to the end of the object. */
const goneMs = 15_000;

/**
 * Breaks connections to the API server off, and refuses others, until it is disposed of. Of a black hole what was sent
 * into it would arrive after its end.
 */
async function refuseApiServer(
  laptop: Laptop,
  { apiServerAddress: { port } }: Cluster,
): Promise<AsyncDisposable> {
  const rules = `table inet refused {
  chain out {
    type filter hook output priority filter;
    tcp dport ${port} reject with tcp reset;
  }
}`;
  await must(laptop.command(["nft", "-f", "-"]), { stdin: rules });
  const mend = ["nft", "delete", "table", "inet", "refused"];
  return {
    [Symbol.asyncDispose]: () => must(laptop.command(mend)).then(() => {}),
  };
}

Deno.test("the object of an intercept that was left while the API server was away is deleted when it is back", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, tp, namespace, watch } = place;
  await deploySmall(cluster, namespace, { name: "left" });
  await tp.ok(["intercept", "left", ...port]);
  {
    await using _refused = await refuseApiServer(laptop, cluster);
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

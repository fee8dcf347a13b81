/** An API server that is too busy for a while. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, sleep } from "../cluster/mod.ts";
import { resetConnections } from "../support/carriers.ts";
import { DatabaseSession } from "../support/database_session.ts";
import { openGateway } from "../support/gateway.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

const busyMs = 6_000;
/** A carrier is tried again after 100 ms, then after twice that, up to 1.5 s, each pause by up to a half shorter or longer. */
const attempts = { least: 4, most: 16 };
/** And the manager's pod is asked for, by the same rule. */
const most = 2 * attempts.most;
const withinMs = 3_000;

Deno.test({
  name:
    "an open session outlives an API server that is asked with growing pauses while it answers",
  // The gateway vouches with the client certificate that the bed's administrator has.
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    await using gateway = await openGateway(cluster, laptop);
    const way = "spdy-websocket";
    await gateway.allow(way);
    const tp = new Tp(laptop);
    await using _ = await tp.connected([...gateway.flag, ...place.flag]);
    await using database = await DatabaseSession.open(laptop);
    await database.ask("create temporary table kept (n int)");
    for (const status of [429, 503]) {
      await t.step(String(status), async () => {
        await gateway.fail(status);
        await gateway.requests();
        await resetConnections(laptop, { apiServerAddress: gateway.address });
        const answer = database.ask("insert into kept values (1)");
        await sleep(busyMs);
        const requests = await gateway.requests();
        const tried = requests.filter((one) => one === way).length;
        await gateway.allow(way);
        const freeMs = performance.now();
        await answer;
        const tookMs = Math.round(performance.now() - freeMs);
        say(
          `busy: ${tried} attempts, ${requests.length} requests while it answers ${status}; goes on ${tookMs} ms after`,
        );
        assert.ok(
          tried >= attempts.least && tried <= attempts.most,
          `${tried} attempts`,
        );
        assert.ok(requests.length <= most, `${requests}`);
        assert.ok(tookMs < withinMs, `${tookMs} ms`);
      });
    }
    assert.equal(await database.ask("select count(*) from kept"), "2");
  },
});

/** One carrier of several that is lost. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, sleep } from "../cluster/mod.ts";
import { listConnections, swallowConnection } from "../support/carriers.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { Transfer } from "../support/transfer.ts";
import { openWan } from "../support/wan.ts";

/** The faults are made in the bed's own network. */
const ignore = Deno.env.has("TP_TEST_KUBECONFIG");
const mebibyte = 1024 ** 2;

Deno.test({
  name:
    "a carrier that falls silent stops only its own streams, for 6 s at most",
  ignore,
  fn: async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    // On a short way one carrier has all bulk.
    await using _wan = await openWan(laptop, { delayMs: 5 });
    await using place = await managerPlace(cluster);
    await using _ = await new Tp(laptop).connected([...place.flag]);
    await using transfers = new AsyncDisposableStack();
    const flows: Transfer[] = [];
    for (let i = 0; i < 8; i++) {
      // As fast as it goes, so that nothing is kept that would hide a pause; it is not waited for.
      const endless = { way: "source", bytes: 1e12, rate: 1e12 } as const;
      flows.push(transfers.use(await Transfer.start(laptop, endless)));
    }
    // Bulk makes the connector open more carriers.
    let busy = await busyConnections();
    for (let i = 0; i < 10 && busy.length !== 3; i++) {
      busy = await busyConnections();
    }
    assert.equal(busy.length, 3);
    await using _hole = await swallowConnection(laptop, busy[0]!);
    const gaps = await Promise.all(
      flows.map((flow) => flow.longestPause(8_000)),
    );
    const stalled = gaps.filter((gap) => gap > 1_000);
    say(
      `carriers: ${busy.length} with bulk; one silent: ${stalled.length} of 8 flows stopped, for at most ${
        Math.round(Math.max(...gaps))
      } ms`,
    );
    assert.ok(stalled.length > 0, `the carrier had no flow: ${gaps}`);
    assert.ok(Math.max(...gaps) <= 6_000, `${gaps}`);
    assert.ok(stalled.length <= Math.ceil(8 / busy.length) + 1, `${gaps}`);

    /** Those that carry bulk by now. */
    async function busyConnections() {
      const before = await listConnections(laptop, cluster);
      await sleep(2_000);
      const after = await listConnections(laptop, cluster);
      const moved = (port: number, received: number) =>
        received -
        (before.find((one) => one.port === port)?.bytesReceived ?? 0);
      return after.filter((one) =>
        moved(one.port, one.bytesReceived) > mebibyte
      );
    }
  },
});

/** What is open survives whatever happens between the laptop and the cluster: nothing is lost, doubled or broken off. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say, sleep } from "../cluster/mod.ts";
import { listConnections } from "../support/carriers.ts";
import { Faults } from "../support/faults.ts";
import { adminAccess, writeAccess } from "../support/kubeconfig_file.ts";
import { startScript } from "../support/laptop_script.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { Survivors } from "../support/survivors.ts";

/** The faults are made in the bed's own network. */
const ignore = Deno.env.has("TP_TEST_KUBECONFIG");
const mebibyte = 1024 ** 2;

Deno.test({
  name: "two transfers of 1 GiB and a transaction of psql outlive",
  ignore,
  fn: async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    const tp = new Tp(laptop);
    await using _ = await tp.connected([...place.flag]);
    await using survivors = await Survivors.start({ laptop, tp });
    const { connector } = await ownProcesses(laptop);
    await using faults = new Faults({ cluster, laptop, connector });
    for (
      const next of [
        () => faults.reset(),
        () => faults.restart(),
        () => faults.roam(),
        () => faults.roam(),
        () => faults.blackHole(10),
        () => faults.stop(120),
        () => faults.blackHole(60),
      ]
    ) {
      const fault = next();
      await t.step(fault.name, () => survivors.outlive(fault));
    }
    await t.step("to the last byte", () => survivors.finish());
  },
});

Deno.test({
  name: "a name that is asked while the network is away waits for the cluster",
  ignore,
  fn: async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    const tp = new Tp(laptop);
    await using _ = await tp.connected();
    const { connector } = await ownProcesses(laptop);
    await using faults = new Faults({ cluster, laptop, connector });
    const start = performance.now();
    const away = faults.blackHole(5).make();
    await sleep(500);
    const asked = await laptop.run(["getent", "ahostsv4", "redis.default"]);
    const tookMs = Math.round(performance.now() - start);
    await away;
    assert.match(asked.stdout, /^[\d.]+ +STREAM redis\.default$/m);
    assert.ok(tookMs > 4_500, "it was asked while the network was away");
    say(`names: answered ${tookMs - 5_000} ms after the network was back`);
  },
});

Deno.test({
  name: "two transfers of 1 GiB and a transaction of psql outlive a proxy",
  ignore,
  fn: async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    await using proxy = startScript(laptop, "connect_proxy.ts");
    const url = `http://127.0.0.1:${await proxy.nextLine()}`;
    const access = await adminAccess(cluster);
    const kubeconfig = await writeAccess(laptop, {
      ...access,
      cluster: { ...access.cluster, "proxy-url": url },
    });
    const tp = new Tp(laptop);
    {
      await using _ = await tp.connected(
        ["--kubeconfig", kubeconfig, ...place.flag],
        { env: { TP_CARRIER_SECONDS: "4" } },
      );
      await using survivors = await Survivors.start({ laptop, tp });
      const { connector } = await ownProcesses(laptop);
      await using faults = new Faults({ cluster, laptop, connector });
      await t.step(
        "that ends all connections",
        () => survivors.outlive(faults.end(proxy)),
      );
      await t.step("that ends each connection at its age", async () => {
        const former = await ports();
        await proxy.tell("age 6000");
        await survivors.goOn("carriers replaced before their age of 6 s", {
          ms: 13_000,
          withinMs: 1_000,
        });
        const left = (await ports()).filter((port) => former.includes(port));
        assert.deepEqual(left, []);
      });
      await t.step("to the last byte", () => survivors.finish());
    }
    // Watches of the API server come to that age; no carrier does, and a carrier is who carries much.
    const cut = (await proxy.end()).filter((line) => {
      const [, bytes] = /^aged (\d+)$/.exec(line) ?? [];
      return Number(bytes) > mebibyte;
    });
    assert.deepEqual(cut, []);

    async function ports(): Promise<number[]> {
      const connections = await listConnections(laptop, cluster);
      return connections.map(({ port }) => port);
    }
  },
});

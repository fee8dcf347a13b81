/** The carriers of a laptop that intercepts break while bulk is on its way to it. */
import assert from "node:assert/strict";
import { say, waitFor } from "../cluster/mod.ts";
import { ask } from "../support/asked.ts";
import { listConnections, type Server } from "../support/carriers.ts";
import { EchoPlace } from "../support/echo_place.ts";
import { type Fault, Faults } from "../support/faults.ts";
import { InterceptedService } from "../support/intercepted_service.ts";
import { adminAccess, writeAccess } from "../support/kubeconfig_file.ts";
import { type LaptopScript, startScript } from "../support/laptop_script.ts";
import { managerState } from "../support/manager_pods.ts";
import { ownProcesses } from "../support/own_processes.ts";

/** The faults are made in the bed's own network. */
const ignore = Deno.env.has("TP_TEST_KUBECONFIG");
const mebibyte = 1024 ** 2;
const uploadBytes = 1024 * mebibyte;
/** From one fault to the next. */
const apartBytes = 64 * mebibyte;
/** The proxy's kernel asks again after 1, 2, 4 s for a connection that was asked for in a black hole. */
const proxyMs = 6_000;
const name = "echo-number";
/** The laptop's own. */
const app: Server = { apiServerAddress: { host: "127.0.0.1", port: 8080 } };

Deno.test({
  name:
    "an upload of 1 GiB to a laptop that intercepts outlives its carriers, every byte once",
  ignore,
  fn: async (t) => {
    await using echo = await EchoPlace.open();
    const { cluster, manager: place, namespace } = echo;
    await using stack = new AsyncDisposableStack();
    // A FIN takes a proxy.
    let proxy: LaptopScript;
    let port = 0;
    await using service = await InterceptedService.open(cluster, {
      ...{ namespace, place, name, converse: 7000 },
      ports: ["8080:http", "7000:greeting"],
      access: async (laptop) => {
        proxy = stack.use(startScript(laptop, "connect_proxy.ts"));
        port = Number(await proxy.nextLine());
        const access = await adminAccess(cluster);
        const url = { "proxy-url": `http://127.0.0.1:${port}` };
        const all = { ...access, cluster: { ...access.cluster, ...url } };
        return ["--kubeconfig", await writeAccess(laptop, all)];
      },
    });
    const { laptop, tp } = service;
    const { connector } = await ownProcesses(laptop);
    const server = { apiServerAddress: { host: "127.0.0.1", port } };
    await using faults = new Faults({ cluster, laptop, connector, server });

    const startMs = performance.now();
    let isOver = false;
    const uploading = ask(cluster, namespace, [
      ...["http", "-url", `http://${name}.${namespace}/who`],
      ...["-body", String(uploadBytes), "-patience", "3m"],
    ], { expect: { none: `laptop-of-${name}` }, timeoutMs: 200_000 })
      .finally(() => isOver = true);
    uploading.catch(() => {});
    for (
      const fault of [
        faults.reset(),
        faults.end(proxy!),
        { ...faults.blackHole(10), withinMs: proxyMs },
      ]
    ) {
      await t.step(fault.name, () => outlive(fault));
    }
    const holeMs = performance.now();
    const { right, wrong, failed, ...told } = await uploading;
    assert.deepEqual(
      { right, wrong, failed },
      { right: 1, wrong: 0, failed: 0 },
      JSON.stringify(told),
    );
    const seconds = (ms: number) =>
      ((performance.now() - ms) / 1000).toFixed(1);
    say(
      `intercept: 1 GiB up in ${seconds(startMs)} s, ${
        seconds(holeMs)
      } s of them after the last fault`,
    );

    async function outlive({ make, ...fault }: Fault): Promise<void> {
      await moreThan(await arrived() + apartBytes);
      const { session: before } = await managerState(tp);
      let goesOnMs = Infinity;
      let goingOn = Promise.resolve();
      await service.outlive({
        ...fault,
        make: async () => {
          await make();
          const endMs = performance.now();
          const bytes = await arrived();
          goingOn = moreThan(bytes + mebibyte).then(() => {
            goesOnMs = Math.round(performance.now() - endMs);
          });
        },
      });
      await goingOn;
      const { session } = await managerState(tp);
      const moved = session.moved_carriers - before.moved_carriers;
      say(
        `intercept: ${fault.name}: ${moved} carriers moved, the upload went on after ${goesOnMs} ms`,
      );
      assert.ok(moved > 0);
      assert.equal(session.former_sessions, before.former_sessions);
      assert.ok(goesOnMs <= fault.withinMs, `${goesOnMs} ms`);
    }

    async function moreThan(bytes: number): Promise<void> {
      await waitFor(`${bytes} bytes of the upload`, async () => {
        assert.ok(!isOver, "the upload ended before the faults did");
        const come = await arrived();
        return come > bytes || String(come);
      }, { everyMs: 20 });
    }

    /** What has come to the laptop's port, of the connection that has most. */
    async function arrived(): Promise<number> {
      const [busiest] = await listConnections(laptop, app);
      return busiest?.bytesSent ?? 0;
    }
  },
});

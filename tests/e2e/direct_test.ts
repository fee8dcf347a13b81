/** The manager's direct endpoint: a shortcut for sessions that began through the API server. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  must,
  openCluster,
  randomNodePort,
  waitFor,
} from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { type ManagerPlace, managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";

const files = "http://bench.default:5004";

interface Scene {
  cluster: Cluster;
  laptop: Laptop;
  place: ManagerPlace;
  tp: Tp;
  port: number;
}

/** A manager with a direct endpoint, and a laptop that can reach it. */
async function withDirect(use: (scene: Scene) => Promise<void>) {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using _open = await laptop.openNodePorts();
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  const port = randomNodePort();
  const { host } = cluster.apiServerAddress;
  await tp.ok([
    ...["install", ...place.flag, "--direct-service", "NodePort"],
    ...["--direct-endpoint", `${host}:${port}`],
  ]);
  await use({ cluster, laptop, place, tp, port });
}

interface Carrier {
  direct: boolean;
}

async function manager(tp: Tp) {
  const status = JSON.parse(await tp.ok(["status", "--output", "json"]));
  return status.traffic_manager;
}

async function untilTransport(tp: Tp, wanted: string): Promise<void> {
  await waitFor(`transport ${wanted}`, async () => {
    const { transport: found } = await manager(tp);
    return found === wanted || found;
  }, { timeoutMs: 20_000 });
}

/** Drops what goes to a port from this laptop, within the scope. */
async function severPort(
  laptop: Laptop,
  port: number,
): Promise<AsyncDisposable> {
  const table = `severed${port}`;
  const rules = `table inet ${table} {
  chain out {
    type filter hook output priority filter;
    tcp dport ${port} drop
  }
}`;
  await must(laptop.command(["nft", "-f", "-"]), { stdin: rules });
  return {
    [Symbol.asyncDispose]: async () => {
      await must(laptop.command(["nft", "delete", "table", "inet", table]));
    },
  };
}

/** A body must arrive as it was sent. `onBegun` is called when its first bytes have. */
async function download(
  laptop: Laptop,
  bytes: number,
  onBegun?: () => Promise<void>,
): Promise<void> {
  const head = `/run/head-${crypto.randomUUID()}`;
  const running = laptop.run([
    ...["bash", "-o", "pipefail", "-c"],
    `curl -sSf -m 100 -D ${head} ${files}/bytes/${bytes} |
      { head -c 1; ${onBegun ? `echo >${head}.begun;` : ""} cat; } | sha256sum
      cat ${head}; rm ${head}`,
  ], { timeoutMs: 120_000 });
  const begun = async () => {
    if (onBegun === undefined) return;
    // Removing it succeeds once it is there.
    const look = ["rm", `${head}.begun`];
    await waitFor("first byte", async () => {
      return (await laptop.run(look)).code === 0 || "it has not come";
    }, { everyMs: 20 });
    await onBegun();
  };
  const [{ stdout, stderr }] = await Promise.all([running, begun()]);
  const expected = /^x-sha256: ([0-9a-f]{64})/im.exec(stdout)?.[1];
  assert.ok(expected, stderr);
  assert.equal(stdout.split(" ")[0], expected);
}

// Ports of the bed's node lead to Services; what leads to another cluster's is not known here.
const ignore = Deno.env.has("TP_TEST_KUBECONFIG");

Deno.test({
  name: "a session goes by the direct endpoint, and on without the API server",
  ignore,
  fn: () =>
    withDirect(async ({ cluster, laptop, place, tp }) => {
      const before = await laptop.snapshot();
      await tp.ok(["connect", ...place.flag]);
      await untilTransport(tp, "direct");
      assert.match(await tp.ok(["status"]), /Transport: +TLS to .* direct/);
      await download(laptop, 8 * 1024 ** 2);
      {
        await using _ = await severPort(
          laptop,
          cluster.apiServerAddress.port,
        );
        await waitFor("end of the carrier through the API server", async () => {
          const { session: { carriers } } = await manager(tp);
          const isOver = carriers.every((one: Carrier) => one.direct);
          return isOver || JSON.stringify(carriers);
        });
        await download(laptop, 8 * 1024 ** 2);
        assert.match(await tp.ok(["status"]), /Proxy: +ON/);
      }
      await tp.ok(["quit"]);
      assertSameState(await laptop.snapshot(), before);
    }),
});

Deno.test({
  name:
    "a transfer goes on through the API server, byte by byte, when the direct endpoint is cut off",
  ignore,
  fn: () =>
    withDirect(async ({ laptop, place, tp, port }) => {
      const before = await laptop.snapshot();
      await tp.ok(["connect", ...place.flag]);
      await untilTransport(tp, "direct");
      {
        await using severed = new AsyncDisposableStack();
        await download(laptop, 1024 ** 3, async () => {
          severed.use(await severPort(laptop, port));
          await untilTransport(tp, "spdy-websocket");
        });
      }
      await untilTransport(tp, "direct");
      await tp.ok(["quit"]);
      assertSameState(await laptop.snapshot(), before);
    }),
});

Deno.test({
  name:
    "a direct endpoint that a firewall closes is done without, and one that is installed no more is gone",
  ignore,
  fn: () =>
    withDirect(async ({ cluster, laptop, place, tp, port }) => {
      {
        await using _ = await severPort(laptop, port);
        await tp.ok(["connect", ...place.flag]);
        await download(laptop, 1024 ** 2);
        assert.equal((await manager(tp)).transport, "spdy-websocket");
        await waitFor("reason why it is not direct", async () => {
          const text = await tp.ok(["status"]);
          return /Not direct: +Cannot reach /.test(text) || text;
        });
        await tp.ok(["quit"]);
      }
      const services = async () => {
        const get = ["get", "services", "--namespace", place.namespace];
        return (await cluster.kubectl([...get, "--output=name"])).stdout;
      };
      assert.match(await services(), /traffic-manager-direct/);
      await tp.ok(["install", ...place.flag]);
      assert.doesNotMatch(await services(), /traffic-manager-direct/);
      await using _ = await tp.connected([...place.flag]);
      await download(laptop, 1024 ** 2);
      assert.equal((await manager(tp)).transport, "spdy-websocket");
    }),
});

Deno.test("tp install refuses a direct endpoint of several copies, and makes nothing", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  const tp = new Tp(laptop);
  const flags = [
    ...["--replicas", "2"],
    ...["--direct-endpoint", "203.0.113.7:443"],
  ];
  for (const more of [[], ["--print"]]) {
    assert.equal(
      await tp.fails(["install", ...place.flag, ...flags, ...more]),
      "tp: Cannot give the traffic manager a direct endpoint: of its 2 copies, it would lead to any\n" +
        "    Give `--replicas 1`, or leave out `--direct-endpoint`\n",
    );
  }
  assert.deepEqual(await place.objects(), []);
});

/** A laptop whose clock is wrong: whatever it says, the connection is made and goes on. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  makeUser,
  must,
  openCluster,
  randomNodePort,
  say,
  setLaptopClock,
  sleep,
  waitFor,
} from "../cluster/mod.ts";
import { DatabaseSession } from "../support/database_session.ts";
import { failToConnect } from "../support/failing.ts";
import {
  adminAccess,
  parseAccess,
  writeAccess,
  writeLaptopFile,
} from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerState } from "../support/manager_pods.ts";
import { type ManagerPlace, managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";

const page = "verylargejavaservice.default:8080";
const apiVersion = "client.authentication.k8s.io/v1";
const lifeMinutes = 5;
/** A credential is used for so long at least. */
const leastSeconds = 10;
const folder = "/root/plugin";

async function assertClock(laptop: Laptop, minutes: number): Promise<void> {
  const told = Number(await must(laptop.command(["date", "+%s"])));
  const seconds = told - Date.now() / 1000;
  assert.ok(Math.abs(seconds - minutes * 60) < 5, `${seconds} s`);
}

async function assertAnswers(laptop: Laptop): Promise<void> {
  const { stdout, stderr } = await laptop.run(
    ["curl", "-sS", "-m", "10", page],
  );
  assert.match(stdout, /EdgyCorp/, stderr);
}

/** The kubeconfig of a service account whose plugin hands out tokens that expire soon, by the cluster's clock. */
async function withPlugin(
  { cluster, laptop, place }: {
    cluster: Cluster;
    laptop: Laptop;
    place: ManagerPlace;
  },
): Promise<{ kubeconfig: string; runs(): Promise<number> }> {
  const { namespace } = place;
  await cluster.kubectl(
    ["create", "serviceaccount", "laptop", "--namespace", namespace],
  );
  await place.grant(`--serviceaccount=${namespace}:laptop`);
  const account = { serviceAccount: "laptop", namespace };
  const access = await parseAccess(cluster, await makeUser(cluster, account));
  const { token } = access.user;
  const expiry = new Date(Date.now() + lifeMinutes * 60_000).toISOString();
  const status = { token, expirationTimestamp: expiry };
  const answer = JSON.stringify({
    ...{ apiVersion, kind: "ExecCredential", status },
  });
  await must(laptop.command(["mkdir", folder]));
  const command = await writeLaptopFile(
    laptop,
    `${folder}/plugin`,
    `#!/bin/sh\nprintf . >>${folder}/runs\necho '${answer}'\n`,
    { mode: "700" },
  );
  const exec = { apiVersion, command, interactiveMode: "Never" };
  return {
    kubeconfig: await writeAccess(laptop, { ...access, user: { exec } }),
    runs: async () =>
      (await must(laptop.command(["cat", `${folder}/runs`]))).length,
  };
}

for (const minutes of [10, -10]) {
  const told = `${minutes > 0 ? "+" : ""}${minutes} min`;
  Deno.test({
    name:
      `a clock at ${told} is noticed neither by who connects nor by what is open, nor is its being set right`,
    // The certificate of another cluster may be younger than the clock is slow.
    ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
    fn: async () => {
      const cluster = await openCluster();
      await using laptop = await Laptop.open(cluster);
      await using place = await managerPlace(cluster);
      await setLaptopClock(laptop, minutes * 60);
      await assertClock(laptop, minutes);
      const tp = new Tp(laptop);
      await tp.ok(["install", ...place.flag]);
      const { kubeconfig, runs } = await withPlugin({ cluster, laptop, place });
      const before = await laptop.snapshot();
      const start = performance.now();
      await tp.ok(["connect", ...place.flag, "--kubeconfig", kubeconfig], {
        env: { TP_CARRIER_SECONDS: "4" },
      });
      const connectRuns = await runs();
      const connectMs = Math.round(performance.now() - start);
      await assertAnswers(laptop);
      const { since } = (await managerState(tp)).session;
      const offMs = Date.parse(since) - Date.now();
      assert.ok(Math.abs(offMs - minutes * 60_000) < 30_000, `${offMs} ms`);
      {
        await using database = await DatabaseSession.open(laptop);
        const outlivesCarriers = async () => {
          const former = (await managerState(tp)).session.moved_carriers;
          await waitFor("another carrier", async () => {
            const { moved_carriers } = (await managerState(tp)).session;
            return moved_carriers > former || `${moved_carriers} were moved`;
          }, { timeoutMs: 30_000 });
          assert.equal(await database.ask("select 6 * 7"), "42");
          await assertAnswers(laptop);
          const { session } = await managerState(tp);
          assert.equal(session.state, "connected");
          assert.equal(session.former_sessions, 0);
        };
        await outlivesCarriers();
        const seconds = (performance.now() - start) / 1000;
        const asked = await runs();
        say(
          `clock at ${told}: connected in ${connectMs} ms with ${connectRuns} runs of the plugin, ${asked} in ${
            seconds.toFixed(1)
          } s`,
        );
        assert.ok(asked <= 1 + seconds / leastSeconds, `${asked} runs`);
        assert.match(await tp.ok(["status"]), /^Connected\n/);

        await setLaptopClock(laptop, 0);
        await assertClock(laptop, 0);
        await outlivesCarriers();
        await setLaptopClock(laptop, minutes * 60);
        await outlivesCarriers();
      }
      assert.equal(await tp.ok(["quit"]), "tp Daemon quitting...done\n");
      assertSameState(await laptop.snapshot(), before);
    },
  });

  Deno.test({
    name: `a clock at ${told} takes the manager's direct endpoint`,
    // Ports of the bed's node lead to Services; what leads to another cluster's is not known here.
    ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
    fn: async () => {
      const cluster = await openCluster();
      await using laptop = await Laptop.open(cluster);
      await using _open = await laptop.openNodePorts();
      await using place = await managerPlace(cluster);
      await setLaptopClock(laptop, minutes * 60);
      const tp = new Tp(laptop);
      const endpoint = `${cluster.apiServerAddress.host}:${randomNodePort()}`;
      await tp.ok([
        ...["install", ...place.flag, "--direct-service", "NodePort"],
        ...["--direct-endpoint", endpoint],
      ]);
      await using _ = await tp.connected([...place.flag]);
      await waitFor("direct transport", async () => {
        const { transport } = await managerState(tp);
        return transport === "direct" || String(transport);
      }, { timeoutMs: 20_000 });
      await assertAnswers(laptop);
    },
  });
}

Deno.test("a clock that is set forward while a manager is installed does not end the waiting for it", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await setLaptopClock(laptop, -600);
  const installing = new Tp(laptop).run(["install", ...place.flag]);
  await waitFor("StatefulSet", async () => {
    const objects = (await place.objects()).join("\n");
    return /^StatefulSet/m.test(objects) || objects;
  }, { everyMs: 10 });
  await setLaptopClock(laptop, 0);
  const { code, stderr } = await installing;
  assert.equal(code, 0, stderr);
});

Deno.test("an API server whose certificate is of this minute is told to a laptop whose clock is slow, with the clock as the cause", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const port = 20_443;
  const [cert, key] = ["/run/server.crt", "/run/server.key"];
  await must(laptop.command([
    ...["openssl", "req", "-x509", "-nodes", "-newkey", "ec"],
    ...["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=server"],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"],
    ...["-keyout", key, "-out", cert],
  ]));
  const server = laptop.spawn(
    ["openssl", "s_server", "-quiet", "-accept", `127.0.0.1:${port}`]
      .concat("-cert", cert, "-key", key),
    { stdin: "null", stdout: "null", stderr: "null" },
  );
  try {
    await sleep(500);
    const authority = btoa(await must(laptop.command(["cat", cert])));
    const access = await adminAccess(cluster);
    const kubeconfig = await writeAccess(laptop, {
      ...access,
      cluster: {
        server: `https://127.0.0.1:${port}`,
        "certificate-authority-data": authority,
      },
    });
    await setLaptopClock(laptop, -600);
    const told = await failToConnect(laptop, ["--kubeconfig", kubeconfig]);
    assert.equal(
      told.cause,
      `Cannot reach API server "https://127.0.0.1:${port}": by this laptop's clock its certificate is not valid yet`,
    );
    assert.match(told.remedy, /^Set this laptop's clock right/);
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
});

/** Each way to the manager, alone: through a gateway that lets nothing else pass, or with the rights for nothing else. */
import assert from "node:assert/strict";
import { Laptop, makeUser, openCluster, waitFor } from "../cluster/mod.ts";
import { failToConnect } from "../support/failing.ts";
import { openGateway } from "../support/gateway.ts";
import { writeLaptopFile } from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";
import { assertSameState } from "../support/same_state.ts";

/** Best first. */
const ways = ["spdy-websocket", "spdy", "channel", "kubectl", "exec"];
const bodyBytes = 8 * 1024 ** 2;
const files = "http://bench.default:5004";

/** Connects, uses a service by name, carries a body each way, and quits: the laptop is as before. */
async function connectAndUse(
  laptop: Laptop,
  { flags, way }: { flags: string[]; way: string },
): Promise<void> {
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  await tp.ok(["connect", ...flags]);
  const status = JSON.parse(await tp.ok(["status", "--output", "json"]));
  assert.equal(status.traffic_manager.transport, way);
  assert.match(await tp.ok(["status"]), /^ {2}Transport: +\S/m);
  await carryBodies(laptop);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
}

async function carryBodies(laptop: Laptop): Promise<void> {
  const bash = (script: string) =>
    laptop.run(["bash", "-o", "pipefail", "-c", script]);
  const down = await bash(
    `curl -sSf -m 60 -D /dev/stderr ${files}/bytes/${bodyBytes} | sha256sum`,
  );
  const expected = /^x-sha256: ([0-9a-f]{64})/im.exec(down.stderr)?.[1];
  assert.ok(expected, down.stderr);
  assert.equal(down.stdout.split(" ")[0], expected);
  const up = await bash(
    `head -c ${bodyBytes} /dev/urandom | tee >(sha256sum >&2) | ` +
      `curl -sSf -m 60 -T - ${files}/`,
  );
  const { bytes, sha256 } = JSON.parse(up.stdout);
  assert.equal(bytes, bodyBytes);
  assert.equal(sha256, up.stderr.trim().split(" ")[0]);
}

Deno.test({
  name: "a gateway that lets one way pass is passed",
  // The gateway vouches with the client certificate that the bed's administrator has.
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async (t) => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    await new Tp(laptop).ok(["install", ...place.flag]);
    await using gateway = await openGateway(cluster, laptop);
    const flags = [...gateway.flag, ...place.flag];
    const asked = async () => [...new Set(await gateway.requests())];

    await t.step("none: the gateway's words are told", async () => {
      const told = await failToConnect(laptop, flags);
      assert.match(told.cause, /this gateway lets no such thing pass/);
      assert.deepEqual(await asked(), ways);
    });
    for (const [i, way] of ways.entries()) {
      await t.step(`${way}, and is remembered`, async () => {
        await gateway.allow(way);
        await connectAndUse(laptop, { flags, way });
        const before = ways[i - 1];
        const others = ways.filter((one) => one !== before);
        const tried = before === undefined ? others : [before, ...others];
        const until = tried.slice(0, tried.indexOf(way) + 1);
        assert.deepEqual(await asked(), until);

        await connectAndUse(laptop, { flags, way });
        assert.deepEqual(await asked(), [way]);
      });
    }
  },
});

Deno.test("who may run commands in the manager's pod and not forward ports to it connects", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using place = await managerPlace(cluster);
  await new Tp(laptop).ok(["install", ...place.flag]);
  const { namespace } = place;
  const name = `person-${crypto.randomUUID().slice(0, 8)}`;
  const kubectl = async (...args: string[]) => {
    const { code, stderr } = await cluster.kubectl(args);
    assert.equal(code, 0, stderr);
  };
  const create = ["create", "--namespace", namespace];
  const readable = ["--verb=get", "--resource=pods,statefulsets.apps"];
  const runnable = ["--verb=get,create", "--resource=pods/exec"];
  await kubectl(...create, "role", "see", ...readable);
  await kubectl(...create, "role", "run", ...runnable);
  for (const role of ["see", "run"]) {
    const binding = [role, `--role=${role}`, `--user=${name}`];
    await kubectl(...create, "rolebinding", ...binding);
  }
  const user = await makeUser(cluster, { name });
  const path = await writeLaptopFile(laptop, `/root/${name}`, user);
  const flags = ["--kubeconfig", path, ...place.flag];
  await connectAndUse(laptop, { flags, way: "exec" });
});

Deno.test({
  name: "kubectl ends with the connector, however that ends",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async () => {
    const cluster = await openCluster();
    await using laptop = await Laptop.open(cluster);
    await using place = await managerPlace(cluster);
    const tp = new Tp(laptop);
    await tp.ok(["install", ...place.flag]);
    await using gateway = await openGateway(cluster, laptop);
    await gateway.allow("kubectl");
    const before = await laptop.snapshot();
    await tp.ok(["connect", ...gateway.flag, ...place.flag]);
    assert.match(await laptop.snapshot(), /^kubectl .*port-forward/m);
    const status = JSON.parse(await tp.ok(["status", "--output", "json"]));
    Deno.kill(status.user_daemon.pid, "SIGKILL");
    await waitFor("laptop as it was", async () => {
      await tp.ok(["status"]);
      const after = await laptop.snapshot();
      return after === before || after;
    }, { timeoutMs: 15_000 });
  },
});

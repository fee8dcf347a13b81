/** An API server that the kubeconfig names: whatever its name says, its addresses are never routed to the cluster. */
import assert from "node:assert/strict";
import { Laptop, must, openCluster, say, waitFor } from "../cluster/mod.ts";
import { adminAccess, writeAccess } from "../support/kubeconfig_file.ts";
import { Tp } from "../support/laptop_tp.ts";
import { get } from "../support/reached.ts";

const name = "api.example.test";
/** That the name has, too, and that would be the cluster's otherwise. */
const [first, second, other] = ["203.0.113.9", "203.0.113.10", "203.0.113.11"];
/** How soon a name is seen to lead elsewhere. */
const changeMs = 10_000;

Deno.test("the addresses of an API server by its name stay the host's, also while that does not resolve, and when it has others", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const { host, port } = cluster.apiServerAddress;
  const access = await adminAccess(cluster);
  const KUBECONFIG = await writeAccess(laptop, {
    ...access,
    cluster: {
      ...access.cluster,
      server: `https://${name}:${port}`,
      "tls-server-name": "kubernetes",
    },
  });
  const sh = (script: string, stdin = "") =>
    must(laptop.command(["sh", "-euc", script]), { stdin });
  const hosts = await sh("cat /etc/hosts");
  const nameLeadsTo = (...ips: string[]) =>
    sh(
      "cat >/etc/hosts",
      [hosts, ...ips.map((ip) => `${ip} ${name}\n`)].join("\n"),
    );
  const device = async (ip: string) => {
    const { stdout } = await laptop.run(["ip", "route", "get", ip]);
    return /dev (\S+)/.exec(stdout)?.[1];
  };
  const assertWays = async (own: readonly string[]) => {
    for (const ip of own) assert.notEqual(await device(ip), "tp0", ip);
    assert.equal(await device(other), "tp0");
  };
  const tp = new Tp(laptop);
  await nameLeadsTo(host, first);
  await using _ = await tp.connected(["--also-proxy", "203.0.113.0/24"], {
    env: { KUBECONFIG },
  });
  await assertWays([first]);
  assert.equal(await device(second), "tp0");

  await nameLeadsTo();
  const { code } = await laptop.run(["getent", "hosts", name]);
  assert.equal(code, 2);
  // What changes on the host has all routes looked at.
  await sh(
    "ip link add office type bridge; ip link set office up; " +
      "ip route add 10.244.0.0/16 dev office",
  );
  await waitFor("the change of the host", async () => {
    const told = await tp.ok(["status"]);
    return /Virtual: .*through office/.test(told) || told;
  }, { timeoutMs: changeMs });
  await assertWays([first]);

  await nameLeadsTo(host, second);
  const startMs = performance.now();
  await waitFor("the way to its other address", async () => {
    const way = await device(second);
    return way !== "tp0" || way;
  }, { timeoutMs: changeMs, everyMs: 100 });
  say(`seen after ${Math.round(performance.now() - startMs)} ms`);
  await assertWays([first, second]);
  const { code: answered, text } = await get(
    laptop,
    "verylargejavaservice.default",
    8080,
  );
  assert.equal(answered, 0, text);
  await sh("ip link del office");
  await nameLeadsTo(host, first);
});

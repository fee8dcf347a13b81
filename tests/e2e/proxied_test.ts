/** What a laptop reaches outside of the cluster through it, and what never. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  openCluster,
  outside,
  say,
  waitFor,
} from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { dig, get, query, statusOf } from "../support/reached.ts";
import { assertSameState } from "../support/same_state.ts";
import { besideAddresses, besidePage, openBeside } from "./beside_node.ts";

const java = "verylargejavaservice.default";

/** A Service whose addresses are told by hand. */
async function tellAddress(
  cluster: Cluster,
  { namespace, ip }: { namespace: string; ip: string },
): Promise<void> {
  await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: db, namespace: ${namespace} }
spec: { clusterIP: None, ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: db
  namespace: ${namespace}
  labels: { kubernetes.io/service-name: db }
addressType: IPv4
ports: [{ name: http, port: 80 }]
endpoints: [{ addresses: [${ip}], conditions: { ready: true } }]
`);
}

Deno.test("--also-proxy: what only the cluster reaches, by subnet, address and a name whose address changes", async (t) => {
  const cluster = await openCluster();
  await using _beside = await openBeside(cluster);
  await using own = await cluster.namespace("also");
  const [first, second] = besideAddresses;
  await tellAddress(cluster, { namespace: own.name, ip: first });
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();

  await t.step("without the flag nobody is there", async () => {
    await using _ = await tp.connected();
    assert.notEqual((await get(laptop, first)).code, 0);
  });
  await t.step("by subnet, but for an address", async () => {
    await using _ = await tp.connected(
      ["--also-proxy", "203.0.113.0/24", "--never-proxy", second],
    );
    assert.equal((await get(laptop, first)).text, besidePage);
    assert.notEqual((await get(laptop, second)).code, 0);
    const { root_daemon: told } = await statusOf(tp);
    assert.deepEqual(told.also_proxy_subnets, ["203.0.113.0/24"]);
    assert.deepEqual(told.never_proxy_subnets, [`${second}/32`]);
    const text = await tp.ok(["status"]);
    assert.match(text, /Also proxied: +203\.0\.113\.0\/24$/m);
    assert.match(text, new RegExp(`Never proxied: +${second}/32$`, "m"));
    assert.match(
      await tp.fails(["connect", "--also-proxy", first]),
      /^tp: Cannot connect with other subnet settings/,
    );
  });
  await t.step("the narrower one counts, in any order of flags", async () => {
    await using _ = await tp.connected(
      ["--never-proxy", "203.0.113.0/24", "--also-proxy", `${second},10.9.9.9`],
    );
    assert.equal((await get(laptop, second)).text, besidePage);
    assert.notEqual((await get(laptop, first)).code, 0);
  });
  await t.step("by name, at whatever address it has", async () => {
    const name = `db.${own.name}`;
    const said = await tp.ok(
      ["connect", "--also-proxy", name, "--also-proxy", "nobody.example"],
    );
    assert.match(
      said,
      /^Warning: "nobody\.example" of --also-proxy has no address yet$/m,
    );
    assert.equal((await get(laptop, name)).text, besidePage);
    assert.notEqual((await get(laptop, second)).code, 0);
    assert.match(
      await tp.ok(["status"]),
      new RegExp(
        `Also proxied: +${first} \\(${name}\\), nobody\\.example \\(no addr`,
      ),
    );
    const startMs = performance.now();
    await tellAddress(cluster, { namespace: own.name, ip: second });
    await waitFor("the other address", async () => {
      const told = await dig(laptop, name);
      return told === second || told;
    }, { timeoutMs: 15_000, everyMs: 20 });
    const tookMs = Math.round(performance.now() - startMs);
    say(`the name's other address was told after ${tookMs} ms`);
    const { text, tookMs: gotMs } = await get(laptop, second);
    assert.equal(text, besidePage);
    say(`and answered at once, within ${gotMs} ms`);
    const { root_daemon: told } = await statusOf(tp);
    assert.ok(told.subnets.includes(`${second}/32`), told.subnets.join());
    await tp.ok(["quit"]);
  });
  await t.step("tp run has the same", async () => {
    const { stdout, stderr } = await tp.run(
      ["run", "--also-proxy", `db.${own.name}`, "--"]
        .concat("curl", "-sS", "-m", "10", `db.${own.name}`),
    );
    assert.equal(stdout, besidePage, stderr);
  });
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("--never-proxy: one service is left to the host, by its address or its name", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const ip = await query(cluster, [
    ...["get", "service", "verylargejavaservice"],
    ...["-o", "jsonpath={.spec.clusterIP}"],
  ]);
  for (const asked of [ip, java]) {
    await using _ = await tp.connected(["--never-proxy", asked]);
    assert.equal(await dig(laptop, java), ip);
    const { code, text } = await get(laptop, java, 8080);
    assert.equal(code, 7, text);
    const others = await laptop.run(["redis-cli", "-h", "redis", "ping"]);
    assert.equal(others.stdout, "PONG\n", others.stderr);
    const { root_daemon: told } = await statusOf(tp);
    assert.deepEqual(told.never_proxy_subnets, [`${ip}/32`]);
    assert.ok(!told.subnets.includes("10.96.0.0/16"));
  }
});

Deno.test("--also-proxy leaves the API server and the host's nameservers where they are", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const { host: apiServer } = cluster.apiServerAddress;
  const nameserver = outside.dns.ipv4;
  await using _ = await tp.connected(
    ["--also-proxy", `${apiServer}/16,${nameserver}/24`],
  );
  const device = async (ip: string) => {
    const { stdout } = await laptop.run(["ip", "route", "get", ip]);
    return /dev (\S+)/.exec(stdout)?.[1];
  };
  for (const ip of [apiServer, nameserver]) {
    assert.notEqual(await device(ip), "tp0", ip);
  }
  assert.equal(await device(outside.web.ipv4), "tp0");
  assert.equal(await dig(laptop, outside.name), outside.web.ipv4);
  assert.equal((await get(laptop, java, 8080)).code, 0);
});

Deno.test("flags that make no sense are refused in a sentence, and nothing is changed", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const refused: [flag: string, value: string, cause: string][] = [
    ["--also-proxy", "10.0.0.0/40", "it is no subnet like 10.96.0.0/16, addr"],
    ["--also-proxy", "1.2.3.4,0.0.0.0/0", "it is a default route"],
    ["--never-proxy", "::/0", "it is a default route"],
    ["--also-proxy", "169.254.169.254", "such addresses are each host's own"],
    ["--mapped-namespaces", "a_b", "it is no name of a namespace"],
  ];
  for (const [flag, value, cause] of refused) {
    for (const command of [["connect"], ["run"]]) {
      const rest = command[0] === "run" ? ["--", "true"] : [];
      const told = await tp.run([...command, flag, value, ...rest]);
      assert.equal(told.code, 2, told.stderr);
      assert.ok(told.stderr.startsWith(`tp: ${flag}: Cannot `), told.stderr);
      assert.ok(told.stderr.includes(`": ${cause}`), told.stderr);
    }
  }
  const both = ["--also-proxy", "1.2.3.4", "--never-proxy", "1.2.3.4"];
  assert.match(
    await tp.fails(["connect", ...both]),
    /^tp: Cannot use "1\.2\.3\.4": it cannot be proxied both also and never$/m,
  );
  assertSameState(await laptop.snapshot(), before);
});

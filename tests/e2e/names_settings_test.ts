/** What a user says of names. */
import assert from "node:assert/strict";
import { type Cluster, Laptop, openCluster, outside } from "../cluster/mod.ts";
import { askToConnect } from "../support/asked_connector.ts";
import { Tp } from "../support/laptop_tp.ts";
import { assertSameState } from "../support/same_state.ts";

/** Makes namespaces called like top-level domains, with a service each. */
async function topLevelNamespaces(
  cluster: Cluster,
  names: readonly string[],
): Promise<AsyncDisposable> {
  await cluster.apply(
    names.map((name) => `
apiVersion: v1
kind: Namespace
metadata: { name: ${name} }
---
apiVersion: v1
kind: Service
metadata: { name: github, namespace: ${name} }
spec: { ports: [{ port: 80 }] }
`).join("---"),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      await cluster.kubectl(["delete", "namespace", ...names, "--wait=false"]);
    },
  };
}

Deno.test("suffixes, names, aliases and opened namespaces are as the user says, and told by tp status", async () => {
  const cluster = await openCluster();
  await using own = await cluster.namespace("names");
  await using other = await cluster.namespace("names");
  await using _namespaces = await topLevelNamespaces(cluster, ["com", "io"]);
  for (const namespace of [own.name, other.name]) {
    await cluster.apply(
      ["web", "wpad", "isatap", "localhost", "printer"].map((name) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { ports: [{ port: 80 }] }
`).join("---"),
    );
  }
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const before = await laptop.snapshot();
  const dns = {
    includeSuffixes: [outside.alias],
    excludeSuffixes: [`.${other.name}`],
    excludes: ["printer"],
    mappings: [
      { name: "db", aliasFor: `web.${other.name}.svc` },
      { name: "out.test", aliasFor: outside.name },
      { name: "address.test", aliasFor: "192.0.2.7" },
    ],
    servedTopLevelNamespaces: ["com"],
  };
  const event = await askToConnect(laptop, { namespace: own.name, dns });
  assert.equal(event.event, "connected", JSON.stringify(event));

  const ask = async (name: string) => {
    const { stdout } = await laptop.run([
      ...["dig", "+time=3", "+tries=1", "+noall", "+answer", "+comments", name],
    ]);
    const code = /status: (\w+)/.exec(stdout)?.[1];
    const address = /\sA\s+(\S+)/.exec(stdout)?.[1];
    return `${code} ${address?.replace(/^10\.96\..*/, "in the cluster") ?? ""}`;
  };
  const inCluster = "NOERROR in the cluster";
  const absent = "NXDOMAIN ";
  const table: [name: string, answer: string][] = [
    ["web", inCluster],
    [`web.${own.name}`, inCluster],
    [outside.name, `NOERROR ${outside.web.ipv4}`],
    // The cluster is asked, and knows nothing of it.
    [outside.alias, absent],
    [`web.${other.name}`, absent],
    [`web.${other.name}.svc`, inCluster],
    ["printer", absent],
    [`printer.${own.name}`, inCluster],
    ["db", inCluster],
    ["out.test", `NOERROR ${outside.web.ipv4}`],
    ["address.test", "NOERROR 192.0.2.7"],
    ["github.com", inCluster],
    ["gitlab.com", absent],
    ["github.io", absent],
    ["wpad", absent],
    [`wpad.${own.name}`, absent],
    ["isatap", absent],
    [`isatap.${own.name}`, absent],
    [`localhost.${own.name}`, absent],
  ];
  for (const [name, answer] of table) {
    assert.equal(await ask(name), answer, name);
  }

  const told = JSON.parse(await tp.ok(["status", "--output", "json"]));
  const { root_daemon: { dns: status } } = told;
  assert.deepEqual(status.include_suffixes, dns.includeSuffixes);
  assert.deepEqual(status.exclude_suffixes, dns.excludeSuffixes);
  assert.deepEqual(status.excludes, dns.excludes);
  assert.deepEqual(status.mappings, dns.mappings);
  assert.deepEqual(status.served_top_level_namespaces, ["com"]);
  assert.equal(status.lookup_timeout, 10_000_000_000);
  assert.deepEqual(status.unserved_namespaces, ["io"]);
  const text = await tp.ok(["status"]);
  assert.match(text, /Short names: +not in io /);
  assert.match(text, new RegExp(`Included: +${outside.alias}`));
  assert.match(
    text,
    new RegExp(`Excluded: +printer, names under .${other.name}`),
  );
  assert.match(text, /Mappings: .*address\.test = 192\.0\.2\.7/);
  await tp.ok(["quit"]);
  assertSameState(await laptop.snapshot(), before);
});

Deno.test("a setting that is no name is told before anything is changed", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const event = await askToConnect(laptop, { dns: { excludes: ["a..b"] } });
  assert.deepEqual(event, {
    event: "failed",
    failure: {
      kind: "setting-wrong",
      cause: 'Cannot use dns.excludes "a..b": it is no name',
    },
    stands: false,
  });
});

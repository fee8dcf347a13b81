/** Answers as they are on the wire, and where they lead. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside, say, waitFor } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { deploySmall } from "../support/small_workloads.ts";

Deno.test("an ExternalName leads into the cluster, or out of it as the laptop knows the way", async () => {
  const cluster = await openCluster();
  await using namespace = await cluster.namespace("names");
  const alias = (name: string, target: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace.name} }
spec: { type: ExternalName, externalName: ${target} }
---`;
  await cluster.apply(
    alias("inside", "verylargejavaservice.default.svc.cluster.local") +
      alias("out", outside.name) + alias("out-twice", outside.alias) +
      alias("nowhere", "absent.example.test"),
  );
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected(["--namespace", namespace.name]);
  const fetched = async (url: string) =>
    (await laptop.run(["curl", "--silent", "--max-time", "10", url])).stdout;
  assert.notEqual(await fetched("http://inside:8080/"), "");
  for (const name of ["out", `out-twice.${namespace.name}`]) {
    assert.equal(await fetched(`http://${name}/`), outside.page, name);
  }
  const { stdout: chain } = await laptop.run([
    ...["dig", "+noall", "+answer", "+short", `out-twice.${namespace.name}`],
  ]);
  assert.deepEqual(chain.trim().split("\n"), [
    ...[`${outside.alias}.`, `${outside.name}.`, outside.web.ipv4],
  ]);
  const { stdout: nowhere } = await laptop.run([
    ...["dig", "+noall", "+comments", "+answer", `nowhere.${namespace.name}`],
  ]);
  // As the cluster says it.
  assert.match(nowhere, /status: NOERROR[^]*CNAME\s+absent\.example\.test\./);
});

Deno.test("a service without a selector leads where its Endpoints say, with a cluster address and without", async () => {
  const cluster = await openCluster();
  await using own = await cluster.namespace("names");
  const namespace = own.name;
  await deploySmall(cluster, namespace, { name: "web" });
  const { stdout: ip } = await cluster.kubectl([
    ...["get", "pods", "--selector=app=web", `--namespace=${namespace}`],
    "--output=jsonpath={.items[0].status.podIP}",
  ]);
  const old = (name: string, spec: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { ports: [{ name: http, port: 8080 }]${spec} }
---
apiVersion: v1
kind: Endpoints
metadata: { name: ${name}, namespace: ${namespace} }
subsets:
  - addresses: [{ ip: ${ip}, hostname: first }]
    ports: [{ name: http, port: 8080 }]
---`;
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected(["--namespace", namespace]);
  await cluster.apply(
    old("old", "") + old("old-headless", ", clusterIP: None"),
  );
  const fetched = async (host: string) => {
    const url = `http://${host}:8080/`;
    const { stdout } = await laptop.run(["curl", "-sS", "-m", "5", url]);
    return stdout;
  };
  for (
    const host of [
      ...["old", `old.${namespace}.svc`, "old-headless"],
      ...[`first.old-headless.${namespace}`],
    ]
  ) {
    // The cluster's controllers take their time to see what was written.
    await waitFor(`app behind ${host}`, async () => {
      const page = await fetched(host);
      return /\bweb\b/.test(page) || page;
    }, { timeoutMs: 10_000 });
  }
  const { stdout: direct } = await laptop.run(
    ["getent", "ahostsv4", `first.old-headless.${namespace}`],
  );
  assert.equal(direct.split(/\s/)[0], ip);
  await cluster.kubectl(
    ["delete", "endpoints", "old", `--namespace=${namespace}`],
  );
  await waitFor("refusal of a service that leads nowhere", async () => {
    const page = await fetched("old");
    return page === "" || page;
  }, { timeoutMs: 10_000 });
});

Deno.test("a question keeps its letters, a large answer comes whole over TCP and cut as the asker's EDNS says", async () => {
  const cluster = await openCluster();
  await using namespace = await cluster.namespace("names");
  const many = 100;
  await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: many, namespace: ${namespace.name} }
spec: { clusterIP: None, ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: many-own
  namespace: ${namespace.name}
  labels: { kubernetes.io/service-name: many }
addressType: IPv4
ports: [{ port: 80 }]
endpoints: ${
    JSON.stringify(
      Array.from({ length: many }, (_, i) => ({
        addresses: [`10.244.251.${i + 1}`],
        conditions: { ready: true },
      })),
    )
  }
`);
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const name = `mAnY.${namespace.name.toUpperCase()}`;
  const ask = async (...flags: string[]) => {
    const { stdout } = await laptop.run([
      ...["dig", "+time=3", "+tries=1", "+noall", "+comments", "+question"],
      ...["+answer", "+stats", ...flags, name],
    ]);
    const number = (what: RegExp) => Number(what.exec(stdout)?.[1] ?? NaN);
    return {
      letters: stdout.match(/mAnY\.[-A-Z0-9]+/g)?.length,
      isCut: /flags:[^;]* tc/.test(stdout),
      records: number(/ANSWER: (\d+)/),
      edns: number(/EDNS: version: \d+, flags:[^;]*; udp: (\d+)/),
      octets: number(/MSG SIZE +rcvd: (\d+)/),
    };
  };
  const whole = await ask();
  assert.equal(whole.records, many);
  assert.ok(!whole.isCut && whole.octets > 1232);
  // The question, and each record.
  assert.equal(whole.letters, many + 1);
  assert.equal(whole.edns, 1232);
  const plain = await ask("+noedns", "+ignore");
  assert.ok(plain.isCut && plain.octets <= 512, JSON.stringify(plain));
  assert.ok(Number.isNaN(plain.edns));
  const asked = await ask("+bufsize=900", "+ignore");
  assert.ok(asked.isCut && asked.octets <= 900 && asked.octets > 512);
  const { stdout } = await laptop.run(["getent", "ahostsv4", name]);
  const addresses = new Set(stdout.match(/^10\.244\.251\.\d+/gm));
  assert.equal(addresses.size, many);
  say(
    `${many} records: ${whole.octets} octets over TCP, ${plain.octets} in a ` +
      `datagram without EDNS, ${asked.octets} of 900`,
  );
});

Deno.test("a laptop may ask the cluster's nameserver itself", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const { stdout: nameserver } = await cluster.kubectl([
    ...["get", "service", "kube-dns", "--namespace=kube-system"],
    "--output=jsonpath={.spec.clusterIP}",
  ]);
  for (const protocol of ["+notcp", "+tcp"]) {
    const { stdout } = await laptop.run([
      ...["dig", `@${nameserver}`, "+short", protocol],
      "kubernetes.default.svc.cluster.local",
    ]);
    assert.match(stdout, /^10\.96\./, protocol);
  }
});

/** Names: the cluster's through the manager, all others as before. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";

const forms = [
  "verylargejavaservice",
  "verylargejavaservice.default",
  "verylargejavaservice.default.svc",
  "verylargejavaservice.default.svc.cluster.local",
];

async function dig(laptop: Laptop, ...args: string[]): Promise<string> {
  const { stdout } = await laptop.run(
    ["dig", "+time=3", "+tries=1", "+noall", ...args],
  );
  return stdout.trim();
}

Deno.test("every form of a service's name resolves, over UDP and TCP, to the service's address", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected(["--namespace", "default"]);
  const { stdout: ip } = await cluster.kubectl([
    "get",
    "service",
    "verylargejavaservice",
    "-o",
    "jsonpath={.spec.clusterIP}",
  ]);
  for (const name of forms) {
    assert.equal(await dig(laptop, "+short", "+answer", name), ip, name);
    assert.equal(
      await dig(laptop, "+short", "+answer", "+tcp", name),
      ip,
      `${name} over TCP`,
    );
    const hosts = await laptop.run(["getent", "ahostsv4", name]);
    assert.match(hosts.stdout, new RegExp(`^${ip}\\s`), name);
  }
});

Deno.test("AAAA of a dual-stack service resolves and answers; of an IPv4-only one it is empty at once", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using namespace = await cluster.namespace();
  const service = (name: string, policy: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace.name} }
spec:
  ipFamilyPolicy: ${policy}
  ports: [{ port: 80 }]
---`;
  await cluster.apply(
    service("both", "PreferDualStack") + service("four", "SingleStack"),
  );
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const both = await dig(
    laptop,
    "+short",
    "+answer",
    `both.${namespace.name}`,
    "AAAA",
  );
  assert.match(both, /^fd00:/);
  const empty = await dig(
    laptop,
    "+comments",
    "+stats",
    `four.${namespace.name}`,
    "AAAA",
  );
  assert.match(empty, /status: NOERROR/);
  assert.match(empty, /ANSWER: 0/);
});

Deno.test("names made after connect resolve within 2 s, asked for before or not, and stop when they are deleted", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  await using namespace = await cluster.namespace();
  const name = `late.${namespace.name}`;
  const ask = async (name: string) =>
    await dig(laptop, "+short", "+answer", name);
  const becomes = async (what: RegExp, withinMs: number) => {
    const startedMs = performance.now();
    let answer: string;
    do answer = await ask(name); while (
      !what.test(answer) && performance.now() - startedMs < withinMs
    );
    assert.match(answer, what);
    return Math.round(performance.now() - startedMs);
  };
  assert.equal(await ask(name), "");
  await cluster.apply(`
apiVersion: v1
kind: Service
metadata: { name: late, namespace: ${namespace.name} }
spec: { ports: [{ port: 80 }] }
`);
  const foundMs = await becomes(/^10\.96\./, 2_000);
  await cluster.kubectl(
    ["delete", "service", "late", `--namespace=${namespace.name}`],
  );
  // The records that were told are good for 5 s.
  const goneMs = await becomes(/^$/, 7_000);
  say(`found after ${foundMs} ms, gone after ${goneMs} ms`);
});

Deno.test("names of the outside are answered by the host's nameserver as before", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const questions = [
    ["outside.example.test", "A"],
    ["outside.example.test", "AAAA"],
    ["outside.example.test", "TXT"],
    ["alias.example.test", "A"],
    ["big.example.test", "TXT"],
    ["no-such.example.test", "A"],
  ];
  const ask = async () => {
    const answers: string[] = [];
    for (const question of questions) {
      for (const protocol of ["+notcp", "+tcp"]) {
        const text = await dig(
          laptop,
          "+comments",
          "+answer",
          "+authority",
          protocol,
          ...question,
        );
        // The id differs from query to query by its nature.
        answers.push(text.replace(/, id: \d+/, ""));
      }
    }
    return answers;
  };
  const before = await ask();
  assert.match(before[0]!, /status: NOERROR/);
  await using _ = await tp.connected();
  assert.deepEqual(await ask(), before);
});

Deno.test("the search list and options of the host's resolver stay", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const own = (await laptop.run(["cat", "/etc/resolv.conf"])).stdout;
  const kept = own.split("\n").filter((line) =>
    /^(search|nameserver)/.test(line)
  );
  await using _ = await tp.connected();
  const patched = (await laptop.run(["cat", "/etc/resolv.conf"])).stdout;
  for (const line of kept) assert.ok(patched.includes(line), patched);
});

Deno.test("a namespace called like a top-level domain does not capture it, and that is told", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  const manifest = `
apiVersion: v1
kind: Namespace
metadata: { name: dev }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: dev }
spec: { ports: [{ port: 80 }] }
`;
  await cluster.apply(manifest);
  try {
    const connected = await tp.ok(["connect"]);
    assert.match(connected, /Short names are served, but not in dev /);
    assert.equal(await dig(laptop, "+short", "+answer", "web.dev"), "");
    const full = await dig(laptop, "+short", "+answer", "web.dev.svc");
    assert.match(full, /^10\.96\./);
    assert.match(await tp.ok(["status"]), /Short names: +not in dev /);
    await tp.ok(["quit"]);
  } finally {
    await cluster.kubectl(["delete", "namespace", "dev"]);
  }
});

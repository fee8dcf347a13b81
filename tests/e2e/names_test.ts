/** Names: the cluster's through the manager, all others as before. */
import assert from "node:assert/strict";
import { Laptop, openCluster, outside, say, waitFor } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import { askerOnLaptop, askNamesProgram } from "../support/name_asker.ts";

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

/** The TTL of the first record in what dig prints. */
function ttlOf(answer: string): number {
  return Number(/\s(\d+)\s+IN\s/.exec(answer)?.[1] ?? NaN);
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
  await askNamesProgram();
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
  // Each is asked for once: nothing is known of it before.
  const fours = Array.from({ length: 20 }, (_, i) => `four-${i}`);
  const only = fours.map((name) => service(name, "SingleStack")).join("");
  await cluster.apply(service("both", "PreferDualStack") + only);
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
    `four-0.${namespace.name}`,
    "AAAA",
  );
  assert.match(empty, /status: NOERROR/);
  assert.match(empty, /ANSWER: 0/);

  const asker = await askerOnLaptop(laptop);
  const time = async (what: string, names: string[]) => {
    const questions = names.map((name) => `${what} ${name}.${namespace.name}`);
    const times = (await asker.time(questions)).map((us) => us / 1000);
    times.sort((a, b) => a - b);
    return { median: times[times.length >> 1]!, slowest: times.at(-1)! };
  };
  const asked = {
    "A": await time("1", fours.slice(1, 7)),
    "AAAA": await time("28", fours.slice(7, 13)),
    "getaddrinfo": await time("host", fours.slice(13)),
  };
  for (const [what, { median, slowest }] of Object.entries(asked)) {
    say(`${what}: ${median.toFixed(1)} ms, ${slowest.toFixed(1)} ms at most`);
    // A client that waits does so for a second at least.
    assert.ok(slowest < 900, `${what} took ${slowest} ms`);
  }
});

Deno.test("services, pods and namespaces made after connect resolve within 2 s; deleted ones stop within 2 s, and what was told of them ends with its TTL", async () => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected();
  const namespace = `late-${crypto.randomUUID().slice(0, 8)}`;
  const service = (name: string, spec: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec: { ${spec} }
---`;
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  const pod = `
apiVersion: v1
kind: Pod
metadata: { name: pod-0, namespace: ${namespace}, labels: { app: late } }
spec:
  hostname: pod-0
  subdomain: set
  terminationGracePeriodSeconds: 0
  containers:
    - name: app
      image: ${registry}/tools:1
      args: ["-c", "sleep 100000"]
`;
  const ask = async (name: string) =>
    await dig(laptop, "+short", "+answer", name);
  const becomes = async (name: string, what: RegExp, withinMs: number) => {
    const startedMs = performance.now();
    let answer: string;
    do answer = await ask(name); while (
      !what.test(answer) && performance.now() - startedMs < withinMs
    );
    assert.match(answer, what, name);
    return Math.round(performance.now() - startedMs);
  };
  const remove = async (...args: string[]) => {
    const { code, stderr } = await cluster.kubectl(["delete", ...args]);
    assert.equal(code, 0, stderr);
  };
  const [known, unknown] = [`late.${namespace}`, `other.${namespace}`];
  const podName = `pod-0.set.${namespace}.svc`;
  assert.equal(await ask(known), "");
  try {
    await cluster.kubectl(["create", "namespace", namespace]);
    await cluster.apply(
      service("late", "ports: [{ port: 80 }]") +
        service("other", "ports: [{ port: 80 }]") +
        service(
          "set",
          "clusterIP: None, selector: { app: late }, ports: [{ port: 80 }]",
        ) + pod,
    );
    say(
      `a service is found after ${await becomes(known, /^10\.96\./, 2_000)} ms`,
    );
    await cluster.kubectl([
      ...["wait", "pod/pod-0", `--namespace=${namespace}`],
      ...["--for=condition=Ready", "--timeout=60s"],
    ]);
    const podMs = await becomes(podName, /^10\.244\./, 2_000);
    say(`a pod is found after ${podMs} ms`);

    // What was never asked for is not kept: it stops at once.
    await remove("service", "other", `--namespace=${namespace}`);
    const otherMs = await becomes(unknown, /^$/, 2_000);
    const knownTtl = await dig(laptop, "+answer", known);
    await remove("service", "late", `--namespace=${namespace}`);
    await remove("pod", "pod-0", `--namespace=${namespace}`, "--force");
    const [knownMs, podGoneMs] = await Promise.all([
      becomes(known, /^$/, (ttlOf(knownTtl) + 2) * 1000),
      becomes(podName, /^$/, (5 + 2) * 1000),
    ]);
    say(
      `gone after ${otherMs} ms; what was told: a service after ${knownMs} ms, ` +
        `a pod after ${podGoneMs} ms`,
    );

    await cluster.apply(service("late", "ports: [{ port: 80 }]"));
    await becomes(known, /^10\.96\./, 2_000);
    await remove("namespace", namespace);
    const names = [known, `${known}.svc`, `${known}.svc.cluster.local`];
    const gone = await Promise.all(
      names.map((name) => becomes(name, /^$/, 2_000)),
    );
    // Such a name is the host's again.
    const host = `probe-${namespace}.${namespace}`;
    await waitFor("question to the host's nameserver", async () => {
      await ask(host);
      const log = await Deno.readTextFile(outside.dnsLog);
      return log.includes(` ${host} `) || "it was not asked";
    }, { timeoutMs: 2_000 });
    say(`a namespace is gone after ${Math.max(...gone)} ms`);
  } finally {
    await cluster.kubectl([
      ...["delete", "namespace", namespace, "--ignore-not-found"],
      "--wait=false",
    ]);
  }
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
    await using _ = await tp.connected();
    assert.match(
      await tp.ok(["connect"]),
      /Short names are served, but not in dev /,
    );
    assert.equal(await dig(laptop, "+short", "+answer", "web.dev"), "");
    const full = await dig(laptop, "+short", "+answer", "web.dev.svc");
    assert.match(full, /^10\.96\./);
    assert.match(await tp.ok(["status"]), /Short names: +not in dev /);
  } finally {
    await cluster.kubectl(["delete", "namespace", "dev"]);
  }
});

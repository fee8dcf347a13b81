/** What can never be intercepted is told by what it is, and what cannot be yet is waited for. */
import assert from "node:assert/strict";
import { say, waitFor } from "../cluster/mod.ts";
import { evict } from "../support/eviction.ts";
import { openPlace, port } from "../support/intercept_place.ts";
import { executable } from "../support/laptop_tp.ts";
import { deploySmall, whoContainer } from "../support/small_workloads.ts";
import { hasAgent } from "../support/workload_watch.ts";

/** How soon the cause is told. */
const withinMs = 5_000;

Deno.test("what cannot be intercepted at all is told by what it is", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, namespace, tp, watch } = place;
  const metadata = { namespace };
  const { readinessProbe: _probe, ...container } = whoContainer();
  const pod = { containers: [container], restartPolicy: "Never" };
  const items = [
    {
      ...{ apiVersion: "v1", kind: "Pod", spec: pod },
      metadata: { ...metadata, name: "bare" },
    },
    {
      ...{ apiVersion: "batch/v1", kind: "Job" },
      metadata: { ...metadata, name: "once" },
      spec: { template: { spec: pod } },
    },
    {
      ...{ apiVersion: "batch/v1", kind: "CronJob" },
      metadata: { ...metadata, name: "nightly" },
      spec: {
        schedule: "0 3 * * *",
        jobTemplate: { spec: { template: { spec: pod } } },
      },
    },
  ];
  await cluster.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  await deploySmall(cluster, namespace, {
    ...{ name: "two-ports", ports: ["grpc"] },
  });
  await deploySmall(cluster, namespace, {
    name: "on-node",
    pod: { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
    // Its port is none that the node's own connections may have (ip_local_port_range).
    container: {
      args: [
        ...["who", "-http", ":18080", "-grpc", "", "-tcp", "", "-udp", ""],
      ],
      ports: [{ name: "http", containerPort: 18080 }],
      readinessProbe: { httpGet: { path: "/", port: 18080 } },
    },
  });
  await deploySmall(cluster, namespace, { name: "none", replicas: 0 });
  assert.match(
    await tp.ok(["list"]),
    /^deployment none: not interceptable .*: Deployment "none" has no pods$/m,
  );
  const refusals: Record<string, RegExp> = {
    "bare": /"bare": a pod that runs cannot be given an agent/,
    "once": /"once": the pods of a Job cannot be given an agent/,
    "nightly": /"nightly": the pods of a CronJob cannot be given an agent/,
    "missing": /^tp: No interceptable Deployment.* matching "missing" found in/,
    "on-node": /"on-node": .*on their nodes' own network \(hostNetwork\)/,
    "none": /^tp: Cannot intercept: Deployment "none" has no pods/,
  };
  for (const [name, why] of Object.entries(refusals)) {
    const since = performance.now();
    const told = await tp.fails(["intercept", name, "--mount=false"]);
    say(
      `${name}: told after ${Math.round(performance.now() - since)} ms: ${
        told.split("\n")[0]
      }`,
    );
    assert.match(told, why);
    assert.ok(performance.now() - since < withinMs);
  }
  assert.match(
    await tp.fails(["intercept", "two-ports", "--mount=false"]),
    /^tp: Cannot intercept Deployment "two-ports": it has the ports .*http.*grpc/,
  );
  assert.deepEqual(await watch.names("intercepts", "agents"), []);
});

Deno.test("a workload that has another manager's agents is told with what can be done about it", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, namespace, tp, watch } = place;
  const name = "shared";
  await deploySmall(cluster, namespace, { name });
  const uid = await watch.kubectl([
    ...["get", "deployment", name, "--output=jsonpath={.metadata.uid}"],
  ]);
  const workload = { apiVersion: "apps/v1", kind: "Deployment", name, uid };
  const agent = {
    ...{ apiVersion: "tp.dev/v1", kind: "Agent" },
    metadata: { namespace, name: `deployment-${name}` },
    spec: {
      manager: "elsewhere",
      workload,
      ports: [],
      replaced: [],
      users: {},
    },
  };
  await cluster.apply(JSON.stringify(agent));
  const told = await tp.fails(["intercept", name, ...port]);
  say(told);
  const error = told.slice(told.indexOf("tp: "));
  const lines = error.split("\n").map((line) => line.trim());
  assert.match(lines[0]!, /has agents of the manager in "elsewhere"$/);
  assert.match(lines[1]!, /^`tp uninstall shared .*elsewhere` removes them/);
  assert.match(lines[2]!, /^Or .*`tp connect --manager-namespace /);
  assert.deepEqual(await watch.names("intercepts"), []);
});

Deno.test("a pod that is lost while an intercept comes about is made again, and the intercept comes", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, namespace, watch } = place;
  const slow = { httpGet: { path: "/", port: 8080 }, initialDelaySeconds: 5 };
  const container = { readinessProbe: slow };
  await deploySmall(cluster, namespace, { name: "lost", container });
  const child = laptop.spawn([executable, "intercept", "lost", ...port], {
    stdout: "piped",
    stderr: "inherit",
  });
  let victim = "";
  await waitFor("pod with an agent", async () => {
    const pods = (await watch.pods("lost")).filter(hasAgent);
    victim = pods[0]?.metadata.name ?? "";
    return victim !== "" || "none";
  }, { everyMs: 50 });
  await evict(cluster, { namespace, pod: victim });
  const { code, stdout } = await child.output();
  assert.equal(code, 0);
  assert.match(new TextDecoder().decode(stdout), /State +: ACTIVE/);
});

Deno.test("a PodDisruptionBudget is kept to: the pods of before stay until they may go", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, namespace, watch } = place;
  const kind = "ReplicaSet";
  await deploySmall(cluster, namespace, { name: "kept", kind, replicas: 2 });
  const before = (await watch.pods("kept")).map(({ metadata }) => metadata.uid);
  await watch.kubectl([
    ...["create", "poddisruptionbudget", "kept", "--min-available=2"],
    "--selector=app=kept",
  ]);
  await waitFor("budget", async () => {
    const told = await watch.kubectl([
      ...["get", "poddisruptionbudget", "kept"],
      "--output=jsonpath={.status.currentHealthy}",
    ]);
    return told === "2" || told;
  });
  const child = laptop.spawn([executable, "intercept", "kept", ...port], {
    stdout: "piped",
    stderr: "inherit",
  });
  let output = "";
  const reading = (async () => {
    const decoded = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of decoded) output += text;
  })();
  await waitFor("word of the budget", () =>
    Promise.resolve(
      /may not go yet: .*disruption budget/.test(output) || output,
    ), { timeoutMs: 20_000 });
  const pods = await watch.pods("kept");
  assert.deepEqual(
    pods.map(({ metadata }) => metadata.uid).sort(),
    before.toSorted(),
  );
  await watch.kubectl(["delete", "poddisruptionbudget", "kept"]);
  assert.equal((await child.status).code, 0);
  await reading;
  assert.match(output, /State +: ACTIVE/);
  assert.deepEqual((await watch.pods("kept")).map(hasAgent), [true, true]);
});

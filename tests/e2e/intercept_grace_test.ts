/** A laptop that never comes back: its intercept ends with the grace that an admin set, and pods keep no rule of it. */
import assert from "node:assert/strict";
import { appBinary, say, waitFor } from "../cluster/mod.ts";
import { curlInCluster } from "../support/asked.ts";
import { openPlace, port } from "../support/intercept_place.ts";
import { ownProcesses } from "../support/own_processes.ts";
import { sampleService } from "../support/sample_application.ts";
import { deploySmall } from "../support/small_workloads.ts";

/** The shortest that a manager takes. */
const graceMs = 60_000;
/** After the last renewal, which may have been so long before. */
const awayMs = 30_000;
const renewMs = 10_000;
/** Until managers have looked, and objects and agents know. */
const noticedMs = 6_000;

Deno.test("connector and daemon are killed for good: the intercept is Away, then gone, and the app has all requests", async () => {
  const place = await openPlace();
  await using _ = place.moved;
  const { cluster, laptop, tp, namespace, manager, watch } = place;
  await cluster.kubectl([
    ...["set", "env", "statefulset/traffic-manager"],
    ...["--namespace", manager.namespace],
    `TP_INTERCEPT_GRACE_SECONDS=${graceMs / 1000}`,
  ]);
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  const containers = [{
    name: "tools",
    image: `${registry}/tools:1`,
    command: ["sleep", "infinity"],
  }];
  await Promise.all([
    deploySmall(cluster, namespace, { name: "web" }),
    deploySmall(cluster, namespace, { name: "client", pod: { containers } }),
    cluster.rolledOut("statefulset/traffic-manager", {
      namespace: manager.namespace,
    }),
  ]);
  const server = laptop.spawn([
    ...sampleService(await appBinary(), "who"),
    ...["-grpc", "", "-tcp", "", "-udp", ""],
  ], { env: { WHO: "laptop" }, stderr: "null" });
  await tp.ok(["intercept", "web", ...port, "--http-header", "x-user=anna"]);
  const ask = async () => {
    const startMs = Date.now();
    const told = await curlInCluster(cluster, namespace, [
      ...["--include", "--header", "x-user: anna", "http://web/"],
    ]);
    return { told, ms: Date.now() - startMs };
  };
  assert.match((await ask()).told, /"who": *"laptop"/);

  const pids = await ownProcesses(laptop);
  const startMs = Date.now();
  for (const pid of [pids.connector, pids.daemon]) Deno.kill(pid, "SIGKILL");
  const phase = () =>
    watch.kubectl([
      ...["get", "intercepts", "--output=jsonpath={.items[*].status.phase}"],
    ]);
  const since = async (wanted: string, timeoutMs: number) => {
    await waitFor(`phase "${wanted}"`, async () => {
      const found = await phase();
      return found === wanted || found;
    }, { timeoutMs });
    return Date.now() - startMs;
  };
  const toldMs = await since("Away", awayMs + noticedMs);
  assert.ok(toldMs >= awayMs - renewMs, `${toldMs} ms`);
  const away = await ask();
  const endedMs = await since("", graceMs);
  const ended = await ask();
  say(
    `kill -9 of connector and daemon: Away after ${toldMs} ms, gone after ${endedMs} ms; the app answered in ${away.ms} ms, then ${ended.ms} ms`,
  );
  assert.ok(endedMs >= graceMs - renewMs, `${endedMs} ms`);
  assert.ok(endedMs <= graceMs + noticedMs, `${endedMs} ms`);
  // Who waits for a laptop, or is turned away by one, does so by a rule.
  for (const { told, ms } of [away, ended]) {
    assert.match(told, /"who": *"web-/);
    assert.doesNotMatch(told, /x-tp-fallback/i);
    assert.ok(ms < 5_000, `${ms} ms`);
  }
  await waitFor("no Lease of a session", async () => {
    const { stdout } = await cluster.kubectl([
      ...["get", "leases", "--namespace", manager.namespace, "--output=name"],
    ]);
    return !stdout.includes("tp-session-") || stdout;
  }, { timeoutMs: noticedMs });
  server.kill();
  await server.status;
  // A connection that ends in good order takes along what the killed one has left.
  await tp.ok(["connect", ...manager.flag, "--namespace", namespace]);
});

/** What the manager makes of Intercept objects: agents, rollouts, statuses; without a laptop that would serve. */
import assert from "node:assert/strict";
import type { Agent } from "../../manager/api.ts";
import {
  deployIntercepts,
  Laptop,
  openCluster,
  say,
  waitFor,
} from "../cluster/mod.ts";
import {
  http,
  InterceptedNamespace,
  sessionOf,
} from "../support/hand_made_intercepts.ts";
import { Tp } from "../support/laptop_tp.ts";
import { managerPlace } from "../support/manager_place.ts";

const echo = { apiVersion: "apps/v1", kind: "Deployment", name: "echo" };
const headless = {
  ...{ apiVersion: "apps/v1", kind: "StatefulSet", name: "echo-headless" },
};

/** Workloads to intercept by hand, for the session of a laptop that is connected. */
async function openHere(stack: AsyncDisposableStack) {
  const cluster = await openCluster();
  const laptop = stack.use(await Laptop.open(cluster));
  const place = stack.use(await managerPlace(cluster));
  const tp = new Tp(laptop);
  await tp.ok(["install", ...place.flag]);
  stack.use(await tp.connected([...place.flag]));
  const session = await sessionOf(cluster, place);
  const { name } = stack.use(await cluster.namespace());
  await deployIntercepts(cluster, name);
  const manager = place.namespace;
  const here = new InterceptedNamespace(cluster, { name, manager, session });
  return { cluster, name, here };
}

Deno.test("an Intercept object brings agents into a workload's pods, and whoever deletes the Agent object takes them off", async () => {
  await using stack = new AsyncDisposableStack();
  const { here } = await openHere(stack);
  const before = await here.replicaSet("echo");

  await here.intercept("web", echo);
  const first = await here.phase("web", "Active");
  say(`Deployment of three pods: Active after ${Math.round(first.ms)} ms`);
  assert.deepEqual(first.status, {
    ...{ phase: "Active", manager: "traffic-manager-0" },
    pods: { ready: 3, wanted: 3 },
  });
  for (const names of await here.containers("echo")) {
    assert.ok(names.includes("traffic-agent"), names.join());
  }
  const agent = await here.json<Agent>("agent", "deployment-echo");
  assert.deepEqual(
    agent.spec.ports.map(({ port, names, redirect }) => ({
      ...{ port, names, redirect },
    })),
    [
      { port: 5005, names: ["udp"], redirect: false },
      { port: 7000, names: ["greeting"], redirect: false },
      { port: 8080, names: ["http"], redirect: false },
      { port: 9090, names: ["grpc"], redirect: false },
    ],
  );

  await here.intercept("again", echo);
  const { status: conflict } = await here.phase("again", "Conflict");
  assert.match(conflict.message!, /by test:alice \(alice@laptop\) as "web"/);
  await here.kubectl(["delete", "intercept", "web"]);
  const next = await here.phase("again", "Active");
  say(`the next one: Active after ${Math.round(next.ms)} ms`);
  const events = await here.kubectl([
    ...["get", "events", "--field-selector=involvedObject.kind=Intercept"],
    "--output=jsonpath={.items[*].reason}",
  ]);
  assert.match(events, /Active/);
  assert.match(events, /Conflict/);

  await here.intercept("headless", headless, { ports: [http] });
  const second = await here.phase("headless", "Active");
  say(`StatefulSet of two pods: Active after ${Math.round(second.ms)} ms`);

  await here.kubectl(["delete", "agent", "deployment-echo"]);
  const { status: gone } = await here.phase("again", "Failed");
  assert.match(gone.message!, /the agent of Deployment "echo" was removed/);
  await waitFor("pods without agents", async () => {
    const pods = await here.containers("echo");
    const left = pods.filter((names) => names.includes("traffic-agent"));
    return left.length === 0 && pods.length === 3 || JSON.stringify(pods);
  }, { timeoutMs: 60_000 });
  assert.equal(await here.replicaSet("echo"), before);
});

Deno.test("a rollout that the cluster does not allow is told within seconds and taken back", async () => {
  await using stack = new AsyncDisposableStack();
  const { cluster, name, here } = await openHere(stack);
  const before = await here.replicaSet("echo");
  await here.kubectl(["create", "quota", "full", "--hard=pods=1"]);
  await waitFor("quota", async () => {
    const told = await here.kubectl([
      ...["get", "quota", "full", "--output=jsonpath={.status.used.pods}"],
    ]);
    return Number(told) > 1 || told;
  }, { timeoutMs: 20_000 });

  await here.intercept("web", echo);
  const { status, ms } = await here.phase("web", "Failed");
  say(`a quota that is used up: told after ${Math.round(ms)} ms`);
  assert.match(status.message!, /FailedCreate: .*exceeded quota: full/);
  assert.ok(ms < 10_000, `${ms} ms`);
  await waitFor("Agent object gone", async () => {
    const left = await here.kubectl(["get", "agents", "--output=name"]);
    return left === "" || left;
  }, { timeoutMs: 20_000 });
  await waitFor("annotation gone", async () => {
    const { spec } = await here.json<{
      spec: { template: { metadata: { annotations?: unknown } } };
    }>("deployment", "echo");
    const { annotations } = spec.template.metadata;
    return annotations === undefined || JSON.stringify(annotations);
  }, { timeoutMs: 20_000 });
  assert.equal(await here.replicaSet("echo"), before);

  // A headless Service needs an init step that this level does not allow.
  await cluster.kubectl([
    ...["label", "namespace", name],
    "pod-security.kubernetes.io/enforce=baseline",
  ]);
  await here.kubectl(["delete", "quota", "full"]);
  await here.intercept("headless", headless);
  const denied = await here.phase("headless", "Failed");
  say(`Pod Security: told after ${Math.round(denied.ms)} ms`);
  assert.match(denied.status.message!, /FailedCreate: .*violates PodSecurity/);
  await waitFor("both pods, without agents", async () => {
    const pods = await here.containers("echo-headless");
    const left = pods.filter((names) => names.includes("traffic-agent"));
    return left.length === 0 && pods.length === 2 || JSON.stringify(pods);
  }, { timeoutMs: 60_000 });
});

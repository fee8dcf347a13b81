import assert from "node:assert/strict";
import { resources } from "../../k8s/mod.ts";
import {
  agentLabel,
  managerAnnotation,
  revisionAnnotation,
} from "../agent_object.ts";
import type { InterceptPhase } from "../intercept.ts";
import { agents, intercepts } from "../own_resources.ts";
import { formerSpecAnnotation } from "./agent_keeper.ts";
import { podOf } from "./cluster_fake.ts";
import { interceptOf, thumbprintA, thumbprintB } from "./intercept_fake.ts";
import type { AppWorkload } from "./workload_kind.ts";
import {
  agentPlace,
  openControl,
  revisionOf,
  roll,
  shop,
  start,
  web,
} from "./control_place_fake.ts";

Deno.test("an intercept brings an agent into the workload's pods and is Active once they have answered", async () => {
  await using one = openControl();
  const { cluster } = one;
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.annotation());
  const agent = one.agent()!;
  assert.deepEqual(agent.spec, {
    manager: "ambassador",
    workload: {
      ...{ apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      uid: "uid-web",
    },
    ports: [{
      ...{ port: 8080, protocol: "TCP", container: "app" },
      ...{ names: ["http"], redirect: false },
    }],
    replaced: [],
    users: { app: { uid: 1000, gid: 1000 } },
  });
  assert.equal(agent.metadata.ownerReferences?.[0]?.uid, "uid-web");
  assert.equal(one.annotation(), revisionOf(agent.spec));
  assert.equal(one.phase("a"), "Waiting");
  roll(cluster, { revision: one.annotation()! });
  await one.until(() => one.message("a") === "waiting for the agents of 1 pod");
  one.answers("new");
  await one.until(() => one.phase("a") === "Active");
  const { status } = cluster.peek(intercepts, { ...web, name: "a" })!;
  assert.deepEqual(status, {
    ...{ phase: "Active", manager: "traffic-manager-0" },
    pods: { ready: 1, wanted: 1 },
  });
  assert.deepEqual(one.control.rulesOf("shop/deployment-web").value, [{
    ...{ id: "a", name: "a", owner: "a-owner", mode: "intercept" },
    ports: [{ port: 8080, protocol: "TCP" }],
    manager: "traffic-manager-0",
  }]);
  await one.until(() =>
    one.agent()?.metadata.annotations?.[formerSpecAnnotation] === undefined
  );
  assert.ok(cluster.written.some((one) => one.startsWith("apply leases/")));
  assert.ok(cluster.written.some((one) => one.startsWith("create events/a.")));

  // A second one needs no pods.
  const annotated = one.annotation();
  cluster.put(
    intercepts,
    interceptOf({ uid: "bb", match: { combine: "all", methods: ["PUT"] } }),
  );
  await one.until(() =>
    one.control.rulesOf("shop/deployment-web").value?.length === 2
  );
  one.answers("new");
  await one.until(() => one.phase("bb") === "Active");
  assert.equal(one.annotation(), annotated);
  // A pod that comes later takes nothing away.
  cluster.put(resources.pods, podOf("more", { isReady: false, hash: "2" }));
  await one.until(() => one.clock.now() % 7_000 === 0);
  assert.equal(one.phase("a"), "Active");
});

Deno.test("a laptop that is away loses the traffic after 30 s to who comes next, and its intercept after 15 min", async () => {
  await using one = openControl();
  const { cluster } = one;
  const laptop = one.laptop(thumbprintA);
  one.laptop(thumbprintB);
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  cluster.put(intercepts, interceptOf({ uid: "bb", session: thumbprintB }));
  await one.until(() => one.annotation());
  roll(cluster, { revision: one.annotation()! });
  const answer = () => one.answers("new");
  const isActive = (uid: string) => () => {
    answer();
    return one.phase(uid) === "Active";
  };
  await one.until(isActive("a"));
  await one.until(() => one.phase("bb") === "Conflict");
  assert.match(one.message("bb")!, /is intercepted by a-owner \(a@laptop\)/);
  laptop.state = "waiting";
  const lost = one.clock.now();
  await one.until(() => one.phase("a") === "Away");
  const awayAfter = one.clock.now() - lost;
  assert.ok(awayAfter > 28_000 && awayAfter < 33_000, `${awayAfter} ms`);
  await one.until(isActive("bb"));
  assert.match(
    one.message("bb")!,
    /^for as long as another is away: .* is intercepted by a-owner \(a@laptop\)/,
  );
  laptop.state = "connected";
  await one.until(isActive("a"));
  await one.until(() => one.phase("bb") === "Conflict");
  laptop.state = "waiting";
  await one.until(() => {
    answer();
    return one.phase("a") === undefined;
  }, 1000);
  await one.until(isActive("bb"));
  await one.until(() => one.message("bb") === undefined);
});

Deno.test("who writes an intercept with a session that begins as another's ends nothing of that one's", async () => {
  await using one = openControl();
  const { cluster } = one;
  const laptop = one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.annotation());
  laptop.state = "waiting";
  await one.until(() => one.phase("a") === "Away");
  const session = thumbprintA.slice(0, 40) + thumbprintB.slice(40);
  cluster.put(intercepts, interceptOf({ uid: "bb", session }));
  await one.until(() => one.phase("bb") === "Away");
  cluster.remove(intercepts, { namespace: "shop", name: "bb" });
  const { length } = cluster.written;
  const since = one.clock.now();
  await one.until(() => one.clock.now() - since > 5_000);
  assert.equal(one.phase("a"), "Away");
  assert.deepEqual(
    cluster.written.slice(length).filter((one) => one.startsWith("delete")),
    [],
  );
});

const unsupported: {
  what: string;
  spoil: (workload: AppWorkload) => void;
  message: RegExp;
}[] = [
  {
    what: "pods on the nodes' network",
    spoil: ({ spec }) => spec!.template!.spec!.hostNetwork = true,
    message: /hostNetwork/,
  },
  {
    what: "no pods",
    spoil: ({ spec }) => spec!.replicas = 0,
    message: /has no pods/,
  },
  {
    what: "an owner of its own",
    spoil: ({ metadata }) =>
      metadata.ownerReferences = [{
        ...{ apiVersion: "x/v1", kind: "App", name: "web", uid: "x" },
        controller: true,
      }],
    message: /belongs to App "web"/,
  },
];
for (const { what, spoil, message } of unsupported) {
  Deno.test(`an intercept of a workload with ${what} fails with the reason`, async () => {
    const cluster = shop();
    const workload = cluster.peek<AppWorkload>(resources.deployments, web)!;
    spoil(workload);
    cluster.put(resources.deployments, workload);
    await using one = openControl({ cluster });
    cluster.put(intercepts, interceptOf({ uid: "a" }));
    await one.until(() => one.phase("a") === "Failed");
    assert.match(one.message("a")!, message);
    assert.equal(one.agent(), undefined);
  });
}

Deno.test("what is of another manager is left alone, and said", async () => {
  const cluster = shop();
  const workload = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  cluster.put(agents, {
    metadata: agentPlace,
    spec: {
      ...{ manager: "other", ports: [], replaced: [], users: {} },
      workload: { ...workload, uid: "uid-web" },
    },
  });
  cluster.put(intercepts, interceptOf({ uid: "bb", manager: "other" }));
  await using one = openControl({ cluster });
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.phase("a") === "Failed");
  assert.match(one.message("a")!, /has agents of the manager in "other"/);
  assert.equal(one.reason("a"), "OtherManager");
  assert.match(
    one.details("a")[0]!,
    /^`tp uninstall web --namespace shop --manager-namespace other` /,
  );
  assert.equal(one.phase("bb"), undefined);
  assert.equal(one.agent()?.spec.manager, "other");
});

Deno.test("an intercept of a workload that is not there, or of an unknown kind, fails", async () => {
  await using one = openControl();
  const { cluster } = one;
  const missing = { apiVersion: "apps/v1", kind: "StatefulSet", name: "db" };
  cluster.put(intercepts, interceptOf({ uid: "a", workload: missing }));
  const job = { apiVersion: "batch/v1", kind: "Job", name: "once" };
  cluster.put(intercepts, interceptOf({ uid: "bb", workload: job }));
  const phases: (InterceptPhase | undefined)[] = ["Failed", "Failed"];
  await one.until(() => `${[one.phase("a"), one.phase("bb")]}` === `${phases}`);
  assert.equal(one.message("a"), 'there is no StatefulSet "db"');
  assert.match(one.message("bb")!, /kind whose pods cannot be intercepted/);
});

Deno.test("who deletes the Agent object takes the agents off; their intercepts have failed", async () => {
  await using one = openControl();
  const { cluster } = one;
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.annotation());
  roll(cluster, { revision: one.annotation()! });
  await one.until(() => {
    one.answers("new");
    return one.phase("a") === "Active";
  });
  cluster.remove(agents, agentPlace);
  await one.until(() => one.annotation() === undefined);
  assert.equal(one.phase("a"), "Failed");
  assert.match(one.message("a")!, /was removed/);
});

Deno.test("agents whose object was deleted while no manager ran are taken off by the next one", async () => {
  const cluster = shop();
  const workload = cluster.peek<AppWorkload>(resources.deployments, web)!;
  const annotations = { [revisionAnnotation]: "r1" };
  workload.spec!.template!.metadata!.annotations = annotations;
  cluster.put(resources.deployments, workload);
  const pod = podOf("new", { annotations, agent: true });
  pod.metadata.labels![agentLabel] = "true";
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [managerAnnotation]: "ambassador",
  };
  cluster.put(resources.pods, pod);
  await using one = openControl({ cluster });
  await one.until(() => one.annotation() === undefined);
});

Deno.test("a manager that starts tells no rules before it knows all, then those of laptops that were there", async () => {
  const cluster = shop();
  cluster.put(resources.leases, {
    metadata: {
      ...{ name: "tp-session-a", namespace: "ambassador" },
      labels: { "tp.dev/session": thumbprintA.slice(0, 32) },
    },
    spec: { renewTime: new Date(start).toISOString(), holderIdentity: "m-1" },
  });
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await using one = openControl({ cluster });
  const rules = () => one.control.rulesOf("shop/deployment-web").value;
  await one.until(() => one.annotation());
  assert.deepEqual(rules()?.map(({ manager }) => manager), ["m-1"]);
});

Deno.test("InterceptControl.ownersOf() tells each user who has intercepts of a session once", async () => {
  const cluster = shop();
  const session = "c".repeat(64);
  for (const [uid, owner] of [["a", "anna"], ["bb", "anna"], ["ccc", "ben"]]) {
    cluster.put(intercepts, interceptOf({ uid: uid!, owner: owner!, session }));
  }
  cluster.put(intercepts, interceptOf({ uid: "dddd" }));
  await using one = openControl({ cluster });
  await one.until(() => one.control.isKnown);
  assert.deepEqual(one.control.ownersOf(session), ["anna", "ben"]);
  assert.deepEqual(one.control.ownersOf("d".repeat(64)), []);
});

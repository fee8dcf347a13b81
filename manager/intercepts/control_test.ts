import assert from "node:assert/strict";
import { type Pod, resources } from "../../k8s/mod.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import type { Session } from "../../tunnel/mod.ts";
import type { Rule } from "../agent_api.ts";
import {
  agentLabel,
  managerAnnotation,
  revisionAnnotation,
} from "../agent_object.ts";
import type { InterceptPhase } from "../intercept.ts";
import { agents, intercepts } from "../own_resources.ts";
import { formerSpecAnnotation } from "./agent_keeper.ts";
import { FakeCluster, podOf, refused } from "./cluster_fake.ts";
import { InterceptControl } from "./control.ts";
import { interceptOf, thumbprintA, thumbprintB } from "./intercept_fake.ts";
import { Laptops } from "./laptops.ts";
import type { AppWorkload } from "./workload_kind.ts";

const start = Date.parse("2026-01-01T00:00:00Z");
const web = { namespace: "shop", name: "web" };
const agentPlace = { namespace: "shop", name: "deployment-web" };
/** What the manager's own code gives; here as plain as it can be. */
const revisionOf = (spec: unknown) => `r${JSON.stringify(spec).length}`;

function open(
  { tryWebhook = () => Promise.resolve(undefined), cluster = shop() }: {
    tryWebhook?: () => Promise<string | undefined>;
    cluster?: FakeCluster;
  } = {},
) {
  const clock = new FakeClock();
  const laptops = new Laptops(clock);
  const control = new InterceptControl({
    ...{ api: cluster, laptops, revisionOf, tryWebhook, clock },
    self: { pod: "traffic-manager-0", namespace: "ambassador" },
    wallNow: () => start + clock.now(),
  });
  const seen = {
    phase: (uid: string) =>
      cluster.peek(intercepts, { namespace: "shop", name: uid })?.status?.phase,
    message: (uid: string) =>
      cluster.peek(intercepts, { namespace: "shop", name: uid })?.status
        ?.message,
    agent: () => cluster.peek(agents, agentPlace),
    annotation: () =>
      cluster.peek<AppWorkload>(resources.deployments, web)?.spec?.template
        ?.metadata?.annotations?.[revisionAnnotation],
  };
  return {
    ...{ clock, cluster, control, laptops, ...seen },
    /** Lets time pass until it is so. */
    async until(what: () => unknown, ms = 100) {
      for (let tries = 0; tries < 2000; tries++) {
        if (what()) return;
        clock.advance(ms);
        await new Promise((resolve) => setTimeout(resolve));
      }
      const written = cluster.written.slice(-5).join(", ");
      assert.fail(`never: ${what} (last written: ${written})`);
    },
    /** A pod's agent answers all rules that the manager tells. */
    answers(pod: string) {
      const workload = "shop/deployment-web";
      const rules: readonly Rule[] = control.rulesOf(workload).value ?? [];
      control.agents.put({
        pod: {
          ...{ ...web, name: pod, uid: `uid-${pod}`, workload },
          createdAt: "2026-01-01T00:00:00Z",
        },
        session: {} as Session,
        follows: new Set(rules.map(({ id }) => id)),
      });
    },
    laptop(thumbprint: string) {
      const ended = Promise.withResolvers<never>();
      const session = {
        ...{ peer: { thumbprint }, ended: ended.promise },
        state: "connected",
        stats: () => ({ state: session.state }),
      };
      laptops.add(session as unknown as Session);
      return session;
    },
    async [Symbol.asyncDispose]() {
      const disposed = control[Symbol.asyncDispose]();
      clock.advance(60_000);
      await disposed;
    },
  };
}

/** Deployment "web" with one pod, and its Service. */
function shop({ replicas = 1 } = {}): FakeCluster {
  const cluster = new FakeCluster();
  cluster.put<AppWorkload>(resources.deployments, {
    metadata: { ...web, generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: {
          containers: [{
            name: "app",
            ports: [{ name: "http", containerPort: 8080 }],
          }],
        },
      },
    },
  });
  cluster.put(resources.services, {
    metadata: web,
    spec: {
      selector: { app: "web" },
      ports: [{ port: 80, targetPort: "http" }],
    },
  });
  const status: Pod["status"] = {
    ...podOf("old").status,
    containerStatuses: [{
      ...{ name: "app", ready: true, restartCount: 0 },
      user: { linux: { uid: 1000, gid: 1000 } },
    }],
  };
  cluster.put(resources.pods, podOf("old", { status }));
  return cluster;
}

/** What the Deployment's controller and the webhook do once the template is annotated. */
function roll(
  cluster: FakeCluster,
  { revision, name = "new", isReady = true, agent = true, status }: {
    revision: string;
    name?: string;
    isReady?: boolean;
    agent?: boolean;
    status?: Pod["status"];
  },
) {
  const annotations = { [revisionAnnotation]: revision };
  const options = { annotations, agent, isReady, hash: "2" };
  cluster.put(
    resources.pods,
    podOf(name, { ...options, ...status ? { status } : {} }),
  );
  if (isReady) {
    cluster.remove(resources.pods, { namespace: "shop", name: "old" });
  }
}

Deno.test("an intercept brings an agent into the workload's pods and is Active once they have answered", async () => {
  await using one = open();
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
  await one.until(() =>
    one.message("a") === "waiting for the agents of 1 pods"
  );
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

Deno.test("an intercept is Active when the nodes have heard that former pods go", async () => {
  await using one = open();
  const { cluster, clock } = one;
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.annotation());
  const old = podOf("old");
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  cluster.put(resources.pods, {
    ...old,
    metadata: { ...old.metadata, deletionTimestamp },
  });
  const annotations = { [revisionAnnotation]: one.annotation()! };
  const options = { annotations, agent: true, hash: "2" };
  cluster.put(resources.pods, podOf("new", options));
  one.answers("new");
  await one.until(() => /are leaving their/.test(one.message("a") ?? ""));
  const since = clock.now();
  await one.until(() => one.phase("a") === "Active");
  const waitedMs = clock.now() - since;
  assert.ok(waitedMs >= 1_000 && waitedMs < 5_000, `${waitedMs} ms`);
});

Deno.test("a laptop that is away loses the traffic after 30 s to who comes next, and its intercept after 15 min", async () => {
  await using one = open();
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
  laptop.state = "connected";
  await one.until(isActive("a"));
  await one.until(() => one.phase("bb") === "Conflict");
  laptop.state = "waiting";
  await one.until(() => {
    answer();
    return one.phase("a") === undefined;
  }, 1000);
  await one.until(isActive("bb"));
});

Deno.test("an image that cannot be pulled: Failed within seconds, and the rollout is taken back", async () => {
  await using one = open();
  const { cluster } = one;
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.annotation());
  const rolled = one.clock.now();
  roll(cluster, {
    ...{ revision: one.annotation()!, isReady: false },
    status: {
      phase: "Pending",
      containerStatuses: [{
        ...{ name: "traffic-agent", ready: false, restartCount: 0 },
        state: { waiting: { reason: "ErrImagePull", message: "not found" } },
      }],
    },
  });
  await one.until(() => one.phase("a") === "Failed");
  assert.ok(one.clock.now() - rolled < 5_000);
  assert.equal(one.message("a"), "ErrImagePull: not found");
  await one.until(() => one.annotation() === undefined);
  assert.equal(one.agent(), undefined);
  cluster.remove(resources.pods, { namespace: "shop", name: "new" });
  await one.until(() => one.clock.now() % 9_000 === 0);
  assert.equal(one.annotation(), undefined);
  assert.equal(one.phase("a"), "Failed");
});

Deno.test("a webhook that is not reached: Failed before any pod is replaced", async () => {
  const why = "the API server does not reach the manager's webhook";
  await using one = open({ tryWebhook: () => Promise.resolve(why) });
  one.cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.phase("a") === "Failed");
  assert.equal(one.message("a"), why);
  assert.ok(!one.cluster.written.includes("patch deployments/web"));
  await one.until(() => one.agent() === undefined);
});

Deno.test("pods that come without an agent although the webhook is reached: replaced three times, then Failed", async () => {
  await using one = open();
  const { cluster } = one;
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.annotation());
  const revision = one.annotation()!;
  let count = 0;
  cluster.onEvict = (name) => {
    cluster.remove(resources.pods, { namespace: "shop", name });
    roll(cluster, { revision, name: `bare-${++count}`, agent: false });
  };
  roll(cluster, { revision, name: "bare-0", agent: false });
  await one.until(() => one.phase("a") === "Failed");
  assert.equal(count, 3);
  assert.match(one.message("a")!, /come without an agent/);
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
    await using one = open({ cluster });
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
  await using one = open({ cluster });
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.phase("a") === "Failed");
  assert.match(one.message("a")!, /has agents of the manager in "other"/);
  assert.equal(one.phase("bb"), undefined);
  assert.equal(one.agent()?.spec.manager, "other");
});

Deno.test("an intercept of a workload that is not there, or of an unknown kind, fails", async () => {
  await using one = open();
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
  await using one = open();
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
  await using one = open({ cluster });
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
  await using one = open({ cluster });
  const rules = () => one.control.rulesOf("shop/deployment-web").value;
  await one.until(() => one.annotation());
  assert.deepEqual(rules()?.map(({ manager }) => manager), ["m-1"]);
});

Deno.test("a replaced container runs again when its intercept is gone", async () => {
  await using one = open();
  const { cluster } = one;
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a", mode: "replace" }));
  await one.until(() => one.annotation());
  assert.deepEqual(one.agent()?.spec.replaced, ["app"]);
  roll(cluster, { revision: one.annotation()! });
  await one.until(() => {
    one.answers("new");
    return one.phase("a") === "Active";
  });
  const replaced = one.annotation();
  cluster.remove(intercepts, { namespace: "shop", name: "a" });
  await one.until(() => one.annotation() !== replaced);
  assert.deepEqual(one.agent()?.spec.replaced, []);
  roll(cluster, { revision: one.annotation()!, name: "newer" });
  cluster.remove(resources.pods, { namespace: "shop", name: "new" });
  await one.until(() =>
    one.agent()?.metadata.annotations?.[formerSpecAnnotation] === undefined
  );
});

Deno.test("a PodDisruptionBudget that holds an eviction is told, and waited for", async () => {
  const cluster = shop();
  const set = cluster.peek<AppWorkload>(resources.deployments, web)!;
  set.spec!.updateStrategy = { type: "OnDelete" };
  cluster.remove(resources.deployments, web);
  cluster.put(resources.statefulSets, set);
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "web" };
  const pod = podOf("old");
  pod.metadata.ownerReferences = [{ ...owner, uid: "x", controller: true }];
  cluster.put(resources.pods, pod);
  let isHeld = true;
  cluster.onEvict = (name) => {
    if (isHeld) throw refused(resources.pods, 429, "TooManyRequests");
    cluster.remove(resources.pods, { namespace: "shop", name });
  };
  await using one = open({ cluster });
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a", workload: owner }));
  await one.until(() => one.message("a")?.includes("may not go yet"));
  isHeld = false;
  const isThere = () => cluster.peek(resources.pods, { ...web, name: "old" });
  await one.until(() => !isThere());
  assert.ok(!cluster.written.includes("patch statefulsets/web"));
});

import assert from "node:assert/strict";
import { resources } from "../../k8s/mod.ts";
import { revisionAnnotation } from "../agent_object.ts";
import { intercepts } from "../own_resources.ts";
import { formerSpecAnnotation } from "./agent_keeper.ts";
import { podOf, refused } from "./cluster_fake.ts";
import { interceptOf, thumbprintA } from "./intercept_fake.ts";
import type { AppWorkload } from "./workload_kind.ts";
import { openControl, roll, shop, web } from "./control_place_fake.ts";

Deno.test("an intercept is Active when the nodes have heard that former pods go", async () => {
  await using one = openControl();
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

Deno.test("a pod stays until it is being deleted, or gone without a word", async () => {
  await using one = openControl();
  const { cluster, control } = one;
  const stays = (name: string) =>
    control.isStaying({ workload: "shop/deployment-web", uid: `uid-${name}` });
  assert.ok(stays("old"), "before anything is known of pods");
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a" }));
  const old = podOf("old");
  cluster.put(resources.pods, old);
  await one.until(() => one.annotation());
  assert.ok(stays("old"));
  const { uid } = old.metadata;
  const ip = () => control.ipOf({ workload: "shop/deployment-web", uid: uid! });
  assert.equal(ip(), undefined);
  const status = { ...old.status, podIP: "10.244.0.9" };
  cluster.put(resources.pods, { ...old, status });
  await one.until(() => ip() === "10.244.0.9");
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  const metadata = { ...old.metadata, deletionTimestamp };
  cluster.put(resources.pods, { ...old, metadata });
  await one.until(() => !stays("old"));
  cluster.remove(resources.pods, { namespace: "shop", name: "old" });
  const since = one.clock.now();
  await one.until(() => one.clock.now() > since + 1_000);
  assert.ok(!stays("old"));
});

Deno.test("an image that cannot be pulled: Failed within seconds, and the rollout is taken back", async () => {
  await using one = openControl();
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
  await using one = openControl({ tryWebhook: () => Promise.resolve(why) });
  one.cluster.put(intercepts, interceptOf({ uid: "a" }));
  await one.until(() => one.phase("a") === "Failed");
  assert.equal(one.message("a"), why);
  assert.ok(!one.cluster.written.includes("patch deployments/web"));
  await one.until(() => one.agent() === undefined);
});

Deno.test("pods that come without an agent although the webhook is reached: replaced three times, then Failed", async () => {
  await using one = openControl();
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

Deno.test("a replaced container runs again when its intercept is gone", async () => {
  await using one = openControl();
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
  await using one = openControl({ cluster });
  one.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "a", workload: owner }));
  await one.until(() => one.message("a")?.includes("may not go yet"));
  isHeld = false;
  const isThere = () => cluster.peek(resources.pods, { ...web, name: "old" });
  await one.until(() => !isThere());
  assert.ok(!cluster.written.includes("patch statefulsets/web"));
});

Deno.test("agents that trust authorities which are lost are replaced, once it is known that they are", async () => {
  const cluster = shop();
  let revision = "";
  {
    const lineOf = () => ({ line: "former" });
    await using one = openControl({ cluster, lineOf });
    one.laptop(thumbprintA);
    cluster.put(intercepts, interceptOf({ uid: "a" }));
    await one.until(() => one.annotation());
    revision = one.annotation()!;
    roll(cluster, { revision });
    await one.until(() => one.control.rulesOf("shop/deployment-web").value);
    one.answers("new");
    await one.until(() => one.phase("a") === "Active");
  }
  const lines: { line: string }[] = [];
  const lineOf = () => lines.at(-1);
  await using next = openControl({ cluster, lineOf });
  next.laptop(thumbprintA);
  cluster.put(intercepts, interceptOf({ uid: "b" }));
  await next.until(() => next.phase("b") !== undefined);
  assert.equal(next.agent()!.spec.line, "former");
  assert.equal(next.annotation(), revision);
  lines.push({ line: "another line" });
  await next.until(() => next.annotation() !== revision);
  assert.equal(next.agent()!.spec.line, "another line");
});

import assert from "node:assert/strict";
import { resources } from "../../k8s/mod.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { revisionAnnotation } from "../agent_object.ts";
import { FakeCluster, podOf, refused } from "./cluster_fake.ts";
import { removeAgent } from "./rollout_effects.ts";
import type { AppWorkload } from "./workload_kind.ts";

const place = { namespace: "shop", name: "web" };
const annotations = { [revisionAnnotation]: "r1", theirs: "stays" };

function shop(
  metadata: Partial<AppWorkload["metadata"]> = {},
): AppWorkload {
  return {
    metadata: { ...place, generation: 1, ...metadata },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" }, annotations } },
    },
  };
}

async function remove(
  cluster: Parameters<typeof removeAgent>[0],
  kind: string,
  more: { leavesToManager?: boolean } = {},
): Promise<string[]> {
  const clock = new FakeClock();
  const told: string[] = [];
  const { signal } = new AbortController();
  const workload = { apiVersion: "apps/v1", kind, name: "web" };
  let isDone = false;
  const done = removeAgent(cluster, {
    ...{ namespace: "shop", workload, signal, clock, ...more },
    tell: (text) => told.push(text),
  }).finally(() => isDone = true);
  // A rejection is looked at below, and not before.
  done.catch(() => {});
  while (!isDone) {
    clock.advance(500);
    await new Promise((resolve) => setTimeout(resolve));
  }
  await done;
  return told;
}

Deno.test("removeAgent() makes a Deployment's template what it was, and waits for its pods", async () => {
  const cluster = new FakeCluster();
  cluster.put(resources.deployments, shop());
  cluster.put(resources.pods, podOf("new", { annotations, agent: true }));
  setTimeout(() => {
    cluster.remove(resources.pods, { namespace: "shop", name: "new" });
    cluster.put(resources.pods, podOf("old"));
  }, 20);
  const told = await remove(cluster, "Deployment");
  assert.deepEqual(cluster.written, ["patch deployments/web"]);
  const { spec } = cluster.peek<AppWorkload>(resources.deployments, place)!;
  assert.deepEqual(spec?.template?.metadata?.annotations, { theirs: "stays" });
  assert.deepEqual(told, ["1 pod has an agent"]);
});

Deno.test("removeAgent() evicts a ReplicaSet's pods that have one, as soon as it may", async () => {
  const cluster = new FakeCluster();
  const set = shop();
  delete set.spec!.template!.metadata!.annotations;
  cluster.put(resources.replicaSets, set);
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web" };
  const pod = podOf("new", { annotations, agent: true });
  pod.metadata.labels = { app: "web" };
  pod.metadata.ownerReferences = [{ ...owner, uid: "x", controller: true }];
  cluster.put(resources.pods, pod);
  let tries = 0;
  cluster.onEvict = (name) => {
    if (++tries < 3) throw refused(resources.pods, 429, "TooManyRequests");
    cluster.remove(resources.pods, { namespace: "shop", name });
  };
  const told = await remove(cluster, "ReplicaSet");
  assert.equal(tries, 3);
  assert.match(told[0]!, /^pod "new" may not go yet: /);
});

Deno.test("removeAgent() leaves to the manager what its caller may not, and fails where it is to do all itself", async () => {
  const cluster = new FakeCluster();
  cluster.put(resources.deployments, shop());
  cluster.put(resources.pods, podOf("new", { annotations, agent: true }));
  const user = {
    find: cluster.find.bind(cluster),
    list: cluster.list.bind(cluster),
    evict: cluster.evict.bind(cluster),
    patch: () =>
      Promise.reject(refused(resources.deployments, 403, "Forbidden")),
  };
  await assert.rejects(remove(user, "Deployment"), { status: 403 });
  setTimeout(() => {
    cluster.remove(resources.pods, { namespace: "shop", name: "new" });
    const changed = shop();
    delete changed.spec!.template!.metadata!.annotations;
    cluster.put(resources.deployments, changed);
    cluster.put(resources.pods, podOf("old"));
  }, 20);
  const told = await remove(user, "Deployment", { leavesToManager: true });
  assert.deepEqual(cluster.written, []);
  assert.deepEqual(told, [
    "the manager replaces its pods, as this user may not",
  ]);
});

Deno.test("removeAgent() has nothing to do for a workload that is gone, or of another kind", async () => {
  const cluster = new FakeCluster();
  await remove(cluster, "Deployment");
  await remove(cluster, "Job");
  assert.deepEqual(cluster.written, []);
});

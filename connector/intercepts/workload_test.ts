import assert from "node:assert/strict";
import { ConnectError } from "../failure.ts";
import { FakeCluster, refusal, workload } from "./cluster_fake.ts";
import { findWorkload } from "./workload.ts";

const { signal } = new AbortController();

function find(cluster: FakeCluster, wanted: string) {
  return findWorkload(cluster.api, { namespace: "orders", wanted, signal });
}

async function cause(finding: Promise<unknown>): Promise<string> {
  const error = await finding.then(() => undefined, (error) => error);
  assert.ok(error instanceof ConnectError, String(error));
  return `${error.failure.kind}: ${error.message}`;
}

Deno.test("findWorkload() finds a workload of each kind by its name", async () => {
  const cluster = new FakeCluster();
  const kinds = {
    deployments: "Deployment",
    statefulsets: "StatefulSet",
    daemonsets: "DaemonSet",
    replicasets: "ReplicaSet",
    rollouts: "Rollout",
  };
  for (const [plural, kind] of Object.entries(kinds)) {
    const name = `my-${plural}`;
    cluster.put(plural, workload(name));
    const { ref } = await find(cluster, name);
    assert.equal(`${ref.kind} ${ref.name}`, `${kind} ${name}`);
  }
});

Deno.test("findWorkload() asks for the kind when several are called so", async () => {
  const cluster = new FakeCluster();
  cluster.put("deployments", workload("web"));
  cluster.put("statefulsets", workload("web"));
  assert.equal(
    await cause(find(cluster, "web")),
    'workload-ambiguous: Cannot intercept "web": it may be Deployment "web" or StatefulSet "web"',
  );
  const kinds = ["statefulset/web", "StatefulSets/web"];
  for (const wanted of kinds) {
    assert.equal((await find(cluster, wanted)).ref.kind, "StatefulSet");
  }
});

Deno.test("findWorkload() says that there is none, of which kinds and where", async () => {
  const cluster = new FakeCluster();
  assert.equal(
    await cause(find(cluster, "web")),
    'workload-unknown: Cannot find "web": namespace "orders" does not exist',
  );
  cluster.put("namespaces", workload("orders"));
  assert.equal(
    await cause(find(cluster, "web")),
    "workload-unknown: No interceptable Deployment, StatefulSet, DaemonSet, ReplicaSet or Rollout " +
      'matching "web" found in namespace "orders"',
  );
  assert.match(await cause(find(cluster, "pod/web")), / matching "pod\/web" /);
});

Deno.test("findWorkload() names what has pods and cannot be intercepted", async () => {
  const cluster = new FakeCluster();
  cluster.put("jobs", workload("import"));
  cluster.put("pods", workload("shell"));
  assert.equal(
    await cause(find(cluster, "import")),
    'workload-unsupported: Cannot intercept "import": the pods of a Job cannot be given an agent',
  );
  assert.match(
    await cause(find(cluster, "shell")),
    /^workload-unsupported: Cannot intercept "shell": a pod that runs cannot/,
  );
});

Deno.test("findWorkload() says why a workload cannot be intercepted", async () => {
  const cluster = new FakeCluster();
  const template = { spec: { hostNetwork: true, containers: [{ name: "a" }] } };
  cluster.put("daemonsets", workload("proxy", { template }));
  assert.match(
    await cause(find(cluster, "proxy")),
    /^workload-unsupported: Cannot intercept "proxy": .*hostNetwork/,
  );
});

Deno.test("findWorkload() says of a Rollout whose template another workload has which that is", async () => {
  const cluster = new FakeCluster();
  const workloadRef = { kind: "Deployment", name: "base" };
  cluster.put("rollouts", workload("web", { workloadRef }));
  assert.equal(
    await cause(find(cluster, "web")),
    'workload-unsupported: Cannot intercept "web": Rollout "web" has its template in Deployment "base" (workloadRef), ' +
      "and can be intercepted only with one of its own",
  );
});

Deno.test("findWorkload() passes on that it may not look, unless it has found one", async () => {
  const cluster = new FakeCluster();
  const { api } = cluster;
  const get = api.get.bind(api);
  const forbidden = {
    ...api,
    get: (
      resource: Parameters<typeof get>[0],
      ref: Parameters<typeof get>[1],
    ) =>
      resource.plural === "statefulsets"
        ? Promise.reject(refusal(403, "Forbidden", resource))
        : get(resource, ref),
  } as typeof api;
  const question = { namespace: "orders", wanted: "web", signal };
  await assert.rejects(findWorkload(forbidden, question), { status: 403 });
  cluster.put("deployments", workload("web"));
  assert.equal(
    (await findWorkload(forbidden, question)).ref.kind,
    "Deployment",
  );
});

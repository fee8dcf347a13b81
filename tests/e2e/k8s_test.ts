/** The API client against a real API server. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { openCluster } from "../cluster/mod.ts";
import {
  ApiClient,
  ApiError,
  ApiUnreachableError,
  canI,
  type ClusterAccess,
  type ConfigMap,
  eventsAbout,
  loadAccess,
  openApi,
  type PortForwardWay,
  portForwardWays,
  resources,
  type WatchEvent,
} from "../../k8s/mod.ts";
import { type Conn, RefusedError, writeAll } from "../../net/mod.ts";

const { configMaps, namespaces, pods, tokenReviews } = resources;

async function adminAccess(): Promise<ClusterAccess> {
  const { kubeconfigPath, kubectlPath } = await openCluster();
  const path = `${dirname(kubectlPath)}:/usr/bin:/bin`;
  // Where kubectl keeps what it has learnt of the cluster.
  const env = { PATH: path, HOME: Deno.env.get("HOME") ?? "/root" };
  return await loadAccess({ kubeconfig: kubeconfigPath, env });
}

function map(namespace: string, data: Record<string, string>): ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "m", namespace },
    data,
  };
}

Deno.test("ApiClient creates, applies, patches, replaces, watches and deletes", async () => {
  const cluster = await openCluster();
  await using scratch = await cluster.namespace();
  await using api = openApi(await adminAccess());
  const ref = { namespace: scratch.name, name: "m" };
  const told: string[] = [];
  const synced = Promise.withResolvers<void>();
  const watching = (async () => {
    const fieldSelector = "metadata.name=m";
    const options = { namespace: scratch.name, fieldSelector };
    for await (const event of api.watch(configMaps, options)) {
      if (event.type === "SYNCED") synced.resolve();
      told.push(textOf(event));
      if (event.type === "DELETED") return;
    }
  })();
  await synced.promise;
  const one = map(scratch.name, { a: "1" });
  await api.create(configMaps, one, { dryRun: true });
  assert.equal(await api.find(configMaps, ref), undefined);
  await api.create(configMaps, one, { fieldManager: "first" });
  await assert.rejects(
    api.create(configMaps, one),
    (error) => error instanceof ApiError && error.reason === "AlreadyExists",
  );
  const two = map(scratch.name, { a: "2" });
  await assert.rejects(api.apply(two), { reason: "Conflict", status: 409 });
  await api.apply(two, { force: true });
  await api.patch(configMaps, { ...ref, changes: { data: { b: "3" } } });
  const found = await api.get(configMaps, ref);
  assert.deepEqual(found.data, { a: "2", b: "3" });
  await api.replace(configMaps, { ...found, data: { c: "4" } });
  await assert.rejects(api.replace(configMaps, found), { reason: "Conflict" });
  assert.equal(await api.delete(configMaps, ref), true);
  assert.equal(await api.delete(configMaps, ref), false);
  await watching;
  assert.deepEqual(told, [
    "SYNCED",
    'ADDED {"a":"1"}',
    'MODIFIED {"a":"2"}',
    'MODIFIED {"a":"2","b":"3"}',
    'MODIFIED {"c":"4"}',
    "DELETED",
  ]);
});

function textOf(event: WatchEvent<ConfigMap>): string {
  return event.type === "ADDED" || event.type === "MODIFIED"
    ? `${event.type} ${JSON.stringify(event.object.data)}`
    : event.type;
}

Deno.test("ApiClient.list() and watch() tell more objects than a page holds, each once", async () => {
  const cluster = await openCluster();
  await using scratch = await cluster.namespace();
  const manifests = Array.from({ length: 501 }, (_, i) =>
    JSON.stringify({
      ...map(scratch.name, {}),
      metadata: { name: `m${i}`, namespace: scratch.name, labels: { x: "y" } },
    }));
  await cluster.kubectl(["create", "-f", "-"], { stdin: manifests.join("\n") });
  await using api = openApi(await adminAccess());
  const options = { namespace: scratch.name, labelSelector: "x=y" };
  assert.equal((await api.list(configMaps, options)).length, 501);
  const names = new Set<string>();
  for await (const event of api.watch(configMaps, options)) {
    if (event.type === "SYNCED") break;
    names.add(event.object.metadata.name!);
  }
  assert.equal(names.size, 501);
});

/** The access of a service account that may do what `rules` say. */
async function accountWith(namespace: string, rules: object[]) {
  const { kubectl, apply } = await openCluster();
  const metadata = { name: "some", namespace };
  const subject = { kind: "ServiceAccount", ...metadata };
  const apiGroup = "rbac.authorization.k8s.io";
  await apply(
    [
      { apiVersion: "v1", kind: "ServiceAccount", metadata },
      { apiVersion: `${apiGroup}/v1`, kind: "Role", metadata, rules },
      {
        apiVersion: `${apiGroup}/v1`,
        kind: "RoleBinding",
        metadata,
        roleRef: { apiGroup, kind: "Role", name: "some" },
        subjects: [subject],
      },
    ].map((one) => JSON.stringify(one)).join("\n---\n"),
  );
  const { stdout } = await kubectl([
    "-n",
    namespace,
    "create",
    "token",
    "some",
  ]);
  const token = stdout.trim();
  const credential: ClusterAccess["credential"] = {
    present: () => Promise.resolve({ authorization: `Bearer ${token}` }),
    renew: () => false,
  };
  return { access: { ...await adminAccess(), credential }, token };
}

Deno.test("ApiClient tells what a user may not", async () => {
  const cluster = await openCluster();
  await using scratch = await cluster.namespace();
  const { access, token } = await accountWith(scratch.name, [
    { apiGroups: [""], resources: ["configmaps"], verbs: ["list"] },
  ]);
  await using api = openApi(access);
  assert.deepEqual(
    await api.list(configMaps, { namespace: scratch.name }).then(
      (list) => list.map(({ metadata }) => metadata.name),
    ),
    ["kube-root-ca.crt"],
  );
  await assert.rejects(api.list(namespaces), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 403);
    assert.equal(error.verb, "list");
    assert.equal(error.resource, "namespaces");
    return true;
  });
  const question = { resource: "configmaps", namespace: scratch.name };
  assert.equal(await canI(api, { ...question, verb: "list" }), true);
  assert.equal(await canI(api, { ...question, verb: "delete" }), false);
  await assert.rejects(
    api.portForward({ namespace: scratch.name, pod: "x", port: 1 }),
    (error) =>
      error instanceof ApiError && error.status === 403 &&
      error.resource === "pods/portforward",
  );
  await using admin = openApi(await adminAccess());
  const review = await admin.create(tokenReviews, {
    metadata: {},
    spec: { token },
  });
  assert.equal(
    review.status?.user?.username,
    `system:serviceaccount:${scratch.name}:some`,
  );
});

Deno.test("ApiClient tells a token that is not known, and a certificate that is not trusted", async () => {
  const access = await adminAccess();
  const credential: ClusterAccess["credential"] = {
    present: () => Promise.resolve({ authorization: "Bearer nonsense" }),
    renew: () => false,
  };
  await using unknown = openApi({ ...access, credential });
  await assert.rejects(unknown.version(), { status: 401 });
  await using untrusting = openApi({ ...access, trust: { insecure: false } });
  await assert.rejects(
    untrusting.version(),
    (error) =>
      error instanceof ApiUnreachableError && error.kind === "certificate",
  );
});

Deno.test("ApiClient shows a client certificate also where it checks nothing, or another name", async () => {
  const access = await adminAccess();
  const { trust } = access;
  for (
    const other of [{ insecure: true }, { ...trust, serverName: "kubernetes" }]
  ) {
    await using api = openApi({ ...access, trust: other });
    assert.equal((await api.list(namespaces)).length > 0, true);
    const conn = await api.portForward(await bench(api, 5003));
    await echoed(conn, 1_000_000);
  }
});

/** Where a port of the benchmarks' pod is. */
async function bench(api: ApiClient, port: number) {
  const all = await api.list(pods, { namespace: "default" });
  const pod = all.find(({ metadata, status }) =>
    metadata.name?.startsWith("bench-") &&
    metadata.deletionTimestamp === undefined && status?.phase === "Running"
  );
  assert.ok(pod, "the sample application is not there");
  const there = `nc 127.0.0.1 ${port}`;
  const script = `${there} </dev/null && echo ready && exec ${there}`;
  return {
    ...{ namespace: "default", pod: pod.metadata.name!, port },
    bridge: { container: "tools", command: ["sh", "-c", script] },
  };
}

/** Sends so many bytes to an echo, ends, and wants them back; on a flow that knows no half-close it only sends. */
async function echoed(conn: Conn, size: number): Promise<void> {
  const sent = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) {
    crypto.getRandomValues(sent.subarray(at, at + 65536));
  }
  const got = new Uint8Array(size);
  const sending = writeAll(conn, sent);
  for (let at = 0; at < size;) {
    const count = await conn.read(got.subarray(at));
    assert.ok(count !== null, `the flow ended after ${at} of ${size} bytes`);
    at += count;
  }
  await sending;
  await conn.closeWrite();
  assert.deepEqual(got, sent);
  conn.close();
}

for (const portForwardWay of portForwardWays) {
  Deno.test(`portForward() by ${portForwardWay} brings every byte back`, async () => {
    await using api = await openBy(portForwardWay);
    const conn = await api.portForward(await bench(api, 5003));
    assert.equal(api.portForwardWay, portForwardWay);
    await echoed(conn, 20_000_000);
  });

  Deno.test(`portForward() by ${portForwardWay} tells a port that nobody listens on`, async () => {
    await using api = await openBy(portForwardWay);
    const target = await bench(api, 5009);
    await assert.rejects(
      async () => {
        const conn = await api.portForward(target);
        try {
          await conn.read(new Uint8Array(1));
        } finally {
          conn.close();
        }
      },
      (error) => error instanceof RefusedError && error.refusal === "refused",
    );
  });
}

async function openBy(portForwardWay: PortForwardWay): Promise<ApiClient> {
  return openApi(await adminAccess(), { portForwardWay });
}

Deno.test("portForward() tells a pod that is not there", async () => {
  await using api = openApi(await adminAccess());
  await assert.rejects(
    api.portForward({ namespace: "default", pod: "nobody", port: 1 }),
    { status: 404, reason: "NotFound" },
  );
});

Deno.test("ApiClient.logs() and events() tell about a pod", async () => {
  await using api = openApi(await adminAccess());
  const dns = await api.list(pods, {
    namespace: "kube-system",
    labelSelector: "k8s-app=kube-dns",
  });
  const { name = "" } = dns[0]!.metadata;
  const logs = await api.logs({ namespace: "kube-system", name }, {
    tailLines: 500,
  });
  assert.match(logs, /CoreDNS/);
  const scratch = await (await openCluster()).namespace();
  await using _ = scratch;
  await api.create(pods, {
    metadata: { name: "lost", namespace: scratch.name },
    spec: { containers: [{ name: "c", image: "registry.invalid/none:1" }] },
  });
  const until = performance.now() + 10_000;
  let reasons: (string | undefined)[] = [];
  while (!reasons.includes("Scheduled") && performance.now() < until) {
    const events = await eventsAbout(api, {
      namespace: scratch.name,
      name: "lost",
    });
    reasons = events.map(({ reason }) => reason);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(reasons.includes("Scheduled"), reasons.join());
});

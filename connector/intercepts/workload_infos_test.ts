import assert from "node:assert/strict";
import type { Intercept } from "../../manager/api.ts";
import { service, workload } from "./cluster_fake.ts";
import { localOnlyInfo } from "./intercept_info.ts";
import { workloadInfos } from "./workload_infos.ts";

const deployment = { apiVersion: "apps/v1", kind: "Deployment" };
const replicaSet = { apiVersion: "apps/v1", kind: "ReplicaSet" };

const intercept: Intercept = {
  metadata: { name: "web-1", namespace: "orders", uid: "uid-1" },
  spec: {
    ...{ name: "mine", owner: "ben", session: "cd".repeat(32) },
    manager: "ambassador",
    ...{ client: "ben@desk", mode: "intercept", container: "app" },
    workload: { ...deployment, name: "web" },
    ports: [{
      ...{ port: 8080, protocol: "TCP" },
      ...{ service: "web", servicePort: "main" },
    }],
    match: {
      combine: "all",
      headers: [{ name: "x-user", kind: "exact", value: "ben" }],
      path: { kind: "prefix", value: "/api" },
    },
  },
  status: { phase: "Away", message: "ben@desk is away" },
};

function infos(own: Parameters<typeof workloadInfos>[1] = []) {
  const owned = workload("web-5d9f");
  owned.metadata.ownerReferences = [
    { ...deployment, name: "web", uid: "uid-of-web", controller: true },
  ];
  const onNode = workload("proxy", {
    template: { spec: { hostNetwork: true, containers: [] } },
  });
  const stopped = workload("stopped", { replicas: 0 });
  const manager = workload("traffic-manager");
  manager.metadata.labels = { "app.kubernetes.io/name": "traffic-manager" };
  const agent = {
    metadata: { name: "deployment-web" },
  } as Parameters<typeof workloadInfos>[0]["agents"][number];
  return workloadInfos({
    workloads: [
      { kind: deployment, workload: workload("web") },
      { kind: replicaSet, workload: owned },
      { kind: { ...deployment, kind: "DaemonSet" }, workload: onNode },
      { kind: { ...deployment, kind: "StatefulSet" }, workload: manager },
      { kind: deployment, workload: stopped },
    ],
    services: [service("web"), service("else")],
    intercepts: [intercept],
    agents: [agent],
  }, own);
}

Deno.test("workloadInfos() tells each workload that is nobody's, with Services, agent and reason", () => {
  const [proxy, stopped, web, ...others] = infos();
  assert.deepEqual(others, []);
  assert.equal(proxy!.workload_resource_type, "DaemonSet");
  assert.match(proxy!.not_interceptable_reason!, /hostNetwork/);
  assert.equal(proxy!.agent, false);
  assert.equal(
    stopped!.not_interceptable_reason,
    'Deployment "stopped" has no pods',
  );
  assert.equal(web!.agent, true);
  assert.equal(web!.not_interceptable_reason, undefined);
  assert.deepEqual(web!.services, {
    "uid-of-service-web": {
      ...{ name: "web", namespace: "orders" },
      ports: [{ name: "main", port: 80 }],
    },
  });
});

Deno.test("workloadInfos() tells who has an intercept, and what it is on", () => {
  const web = infos().find(({ name }) => name === "web");
  const [info] = web!.intercept_infos;
  assert.equal(info!.own, false);
  assert.equal(info!.owner, "ben");
  assert.equal(info!.client, "ben@desk");
  assert.equal(info!.disposition, "NO_CLIENT");
  assert.equal(info!.message, "ben@desk is away");
  assert.equal(info!.target_port, undefined);
  assert.equal(info!.global, false);
  assert.deepEqual(info!.http_filter, [
    "header 'x-user: ben'",
    "path starting with /api",
  ]);
  assert.equal(
    info!.filter_desc,
    "HTTP requests with header 'x-user: ben' and path starting with /api",
  );
});

Deno.test("workloadInfos() tells this connection's intercepts as it knows them, also local-only ones", () => {
  const known = { ...infos()[2]!.intercept_infos[0]!, own: true };
  const names = localOnlyInfo({ name: "names", namespace: "orders" });
  const found = infos([known, names]);
  assert.deepEqual(found.map(({ name }) => name), [
    "names",
    "proxy",
    "stopped",
    "web",
  ]);
  assert.deepEqual(found[0]!.intercept_infos, [names]);
  assert.equal(found[3]!.intercept_infos[0], known);
});

Deno.test("workloadInfos() tells the Service of an intercept by its UID, and ingests apart", () => {
  const [served] = infos().find(({ name }) => name === "web")!.intercept_infos;
  assert.equal(served!.service_uid, "uid-of-service-web");
  assert.equal(served!.ports[0]!.service_uid, "uid-of-service-web");
  assert.equal(served!.service_port_id, "main");
  const { match: _, ...spec } = intercept.spec;
  const ingest: Intercept = {
    ...intercept,
    spec: { ...spec, mode: "ingest", ports: [] },
  };
  const [web] = workloadInfos({
    workloads: [{ kind: deployment, workload: workload("web") }],
    ...{ services: [], intercepts: [ingest], agents: [] },
  }, []);
  assert.deepEqual(web!.ingest_infos, web!.intercept_infos);
  assert.equal(web!.ingest_infos![0]!.global, false);
});

import assert from "node:assert/strict";
import type { Manifest } from "./manifest.ts";
import { managerManifests } from "./manifests.ts";
import { find, manifests, options } from "./manifests_fake.ts";

/** Each right as one line: `verb group/resource name`. */
function rights(manifest: Manifest): string[] {
  type Rule = Record<"apiGroups" | "resources" | "verbs", string[]> & {
    resourceNames?: string[];
  };
  return (manifest.rules as Rule[]).flatMap((rule) =>
    rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource) =>
        rule.verbs.map((verb) =>
          [verb, `${group}/${resource}`, ...rule.resourceNames ?? []].join(" ")
        )
      )
    )
  ).sort();
}

Deno.test("the manager may do what it uses and nothing else", () => {
  const workloads = ["daemonsets", "deployments", "statefulsets"];
  const webhook =
    "admissionregistration.k8s.io/mutatingwebhookconfigurations traffic-manager-ambassador";
  const ofCluster = [
    ...each("create", "/", "events", "pods/eviction"),
    "create authentication.k8s.io/tokenreviews",
    ...["create", "get", "list", "watch", "patch", "delete"].flatMap((verb) =>
      each(verb, "tp.dev/", "agents")
    ),
    ...["list", "watch", "delete", "revoke"].flatMap((verb) =>
      each(verb, "tp.dev/", "intercepts")
    ),
    "patch tp.dev/intercepts/status",
    "get /pods",
    ...each("get", "apps/", "replicasets", ...workloads),
    ...each("patch", "apps/", ...workloads),
    ...each("get", "argoproj.io/", "rollouts"),
    ...each("patch", "argoproj.io/", "rollouts"),
    ...each("get", "", webhook),
    ...each("patch", "", webhook),
    ...each("list", "/", "events", "namespaces", "nodes", "pods", "services"),
    ...each("watch", "/", "namespaces", "nodes", "pods", "services"),
    ...each("list", "networking.k8s.io/", "servicecidrs"),
    ...each("watch", "networking.k8s.io/", "servicecidrs"),
  ];
  assert.deepEqual(
    rights(find("ClusterRole", "traffic-manager-ambassador")),
    ofCluster.sort(),
  );
  assert.deepEqual(rights(find("Role", "traffic-manager-ambassador")), [
    "list discovery.k8s.io/endpointslices kubernetes",
    "watch discovery.k8s.io/endpointslices kubernetes",
  ]);
  assert.deepEqual(rights(find("Role")), [
    ...each("create", "/", "pods", "secrets", "services"),
    "create coordination.k8s.io/leases",
    "delete coordination.k8s.io/leases",
    "get /secrets traffic-manager-ca",
    "list coordination.k8s.io/leases",
    "patch coordination.k8s.io/leases",
    "update /secrets traffic-manager-ca",
    "watch coordination.k8s.io/leases",
  ]);
});

function each(verb: string, group: string, ...resources: string[]): string[] {
  return resources.map((resource) => `${verb} ${group}${resource}`);
}

Deno.test("the roles for who intercepts are part of no other role, and only that of admins revokes", () => {
  const roles = ["tp-intercept", "tp-admin"].map((name) =>
    find("ClusterRole", name)
  );
  for (const { metadata } of roles) {
    const labels = Object.keys(metadata.labels);
    assert.ok(
      !labels.some((label) => label.includes("aggregate")),
      labels.join(),
    );
  }
  const [user, admin] = roles.map(rights) as [string[], string[]];
  assert.deepEqual(admin.filter((right) => !user.includes(right)), [
    "delete tp.dev/agents",
    "revoke tp.dev/intercepts",
  ]);
  assert.deepEqual(
    user.filter((right) => !/^(get|list|watch) /.test(right)),
    each("create", "", "tp.dev/intercepts").concat(
      each("delete", "", "tp.dev/intercepts"),
      each("patch", "", "tp.dev/intercepts"),
    ),
  );
  assert.ok(!user.some((right) => right.includes("secrets")));
});

Deno.test("who connects needs the manager's pod and nothing else", () => {
  assert.deepEqual(rights(find("Role", "tp-user")), [
    "create /pods/portforward traffic-manager-0",
    "get /pods traffic-manager-0",
    "get /pods/portforward traffic-manager-0",
    "get apps/statefulsets traffic-manager",
    "list /events",
    "watch /events",
  ]);
});

Deno.test("the manager's rights go to its ServiceAccount alone", () => {
  for (
    const binding of manifests.filter(({ kind }) =>
      /^(Cluster)?RoleBinding$/.test(kind)
    )
  ) {
    assert.deepEqual(binding.subjects, [{
      kind: "ServiceAccount",
      name: "traffic-manager",
      namespace: "ambassador",
    }]);
    const { kind, name } = binding.roleRef as { kind: string; name: string };
    assert.ok(find(kind, name), `${kind} ${name}`);
  }
});

Deno.test("who connects to several copies needs the pod of each", () => {
  const several = managerManifests({ ...options, replicas: 3 });
  const names = [0, 1, 2].map((i) => `traffic-manager-${i}`).join(" ");
  const role = find("Role", "tp-user", several);
  assert.deepEqual(
    rights(role).filter((right) => right.includes("/pods")),
    ["create /pods/portforward", "get /pods", "get /pods/portforward"]
      .map((right) => `${right} ${names}`),
  );
});

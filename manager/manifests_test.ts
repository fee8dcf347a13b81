import assert from "node:assert/strict";
import type { Manifest } from "./manifest.ts";
import { managerManifests } from "./manifests.ts";

const options = {
  namespace: "ambassador",
  image: "example.com/tp:1",
  version: "1.2.3",
};
const manifests = managerManifests(options);

const find = (
  kind: string,
  name = "traffic-manager",
  among = manifests,
  // deno-lint-ignore no-explicit-any
): any => among.find((one) => one.kind === kind && one.metadata.name === name);

const pod = find("StatefulSet").spec.template.spec;
const [container] = pod.containers;

Deno.test("managerManifests() come in the order in which they can be applied", () => {
  assert.deepEqual(
    manifests.map(({ kind, metadata: { name, namespace = "" } }) =>
      `${kind} ${namespace}/${name}`
    ),
    [
      "Namespace /ambassador",
      "ServiceAccount ambassador/traffic-manager",
      "ClusterRole /traffic-manager-ambassador",
      "ClusterRoleBinding /traffic-manager-ambassador",
      "Role default/traffic-manager-ambassador",
      "RoleBinding default/traffic-manager-ambassador",
      "Role ambassador/traffic-manager",
      "RoleBinding ambassador/traffic-manager",
      "Role ambassador/tp-user",
      "StatefulSet ambassador/traffic-manager",
    ],
  );
});

Deno.test("managerManifests() bear labels, and all but the namespace their release", () => {
  for (const { kind, metadata } of manifests) {
    assert.equal(metadata.labels["app.kubernetes.io/part-of"], "tp");
    assert.equal(
      metadata.annotations?.["tp.dev/version"],
      kind === "Namespace" ? undefined : "1.2.3",
    );
  }
});

Deno.test("the manager's pod fits the restricted Pod Security Standard", () => {
  assert.equal(pod.securityContext.runAsNonRoot, true);
  assert.ok(pod.securityContext.runAsUser > 0);
  assert.deepEqual(pod.securityContext.seccompProfile, {
    type: "RuntimeDefault",
  });
  assert.equal(container.securityContext.allowPrivilegeEscalation, false);
  assert.deepEqual(container.securityContext.capabilities, { drop: ["ALL"] });
  for (const field of ["hostNetwork", "hostPID", "hostIPC", "volumes"]) {
    assert.equal(pod[field], undefined, field);
  }
  assert.ok(!("privileged" in container.securityContext));
});

Deno.test("the manager's pod can not write, has bounds", () => {
  assert.equal(container.securityContext.readOnlyRootFilesystem, true);
  assert.equal(container.resources.limits.memory, "1Gi");
  assert.equal(container.image, "example.com/tp:1");
  assert.deepEqual(container.args, ["manager"]);
});

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
  assert.deepEqual(rights(find("ClusterRole", "traffic-manager-ambassador")), [
    "list /namespaces",
    "list /nodes",
    "list /pods",
    "list networking.k8s.io/servicecidrs",
    "watch /namespaces",
    "watch /nodes",
    "watch /pods",
    "watch networking.k8s.io/servicecidrs",
  ]);
  assert.deepEqual(rights(find("Role", "traffic-manager-ambassador")), [
    "list discovery.k8s.io/endpointslices kubernetes",
    "watch discovery.k8s.io/endpointslices kubernetes",
  ]);
  assert.deepEqual(rights(find("Role")), ["create /services"]);
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

for (const service of ["LoadBalancer", "NodePort"] as const) {
  Deno.test(`a direct endpoint behind a ${service} leads to the manager's direct port`, () => {
    const endpoint = { host: "203.0.113.7", port: 30_741 };
    const all = managerManifests({
      ...{ namespace: "ambassador", image: "example.com/tp:1" },
      ...{ version: "1.2.3", direct: { endpoint, service } },
    });
    // deno-lint-ignore no-explicit-any
    const { spec } = all.find(({ kind }) => kind === "Service") as any;
    assert.equal(spec.type, service);
    const [{ targetPort, ...port }] = spec.ports;
    assert.equal(port[service === "NodePort" ? "nodePort" : "port"], 30_741);
    const [{ ports, env }] =
      // deno-lint-ignore no-explicit-any
      (all.at(-1) as any).spec.template.spec.containers;
    assert.ok(
      ports.some(({ name, containerPort }: Record<string, unknown>) =>
        name === targetPort && containerPort === 7412
      ),
    );
    assert.ok(
      env.some(({ value }: Record<string, unknown>) =>
        value === "203.0.113.7:30741"
      ),
    );
  });
}

Deno.test("without a direct endpoint there is no Service, and nothing listens beyond loopback and probes", () => {
  assert.ok(!manifests.some(({ kind }) => kind === "Service"));
  assert.equal(container.ports.length, 2);
});

Deno.test("the manager's rights go to its ServiceAccount alone", () => {
  for (
    const binding of manifests.filter(({ kind }) => kind.endsWith("Binding"))
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

Deno.test("managerManifests() for several copies give users each pod, and let nodes be drained one by one", () => {
  const several = managerManifests({ ...options, replicas: 3 });
  const of = (kind: string, name?: string) => find(kind, name, several);
  assert.equal(find("StatefulSet").spec.replicas, 1);
  assert.equal(of("StatefulSet").spec.replicas, 3);
  const names = [0, 1, 2].map((i) => `traffic-manager-${i}`).join(" ");
  assert.deepEqual(
    rights(of("Role", "tp-user")).filter((right) => right.includes("/pods")),
    ["create /pods/portforward", "get /pods", "get /pods/portforward"]
      .map((right) => `${right} ${names}`),
  );
  assert.equal(find("PodDisruptionBudget"), undefined);
  const { maxUnavailable, selector } = of("PodDisruptionBudget").spec;
  assert.equal(maxUnavailable, 1);
  const { spec } = of("StatefulSet");
  assert.deepEqual(selector, spec.selector);
  // Else a change of the number would replace the pods that are there.
  assert.deepEqual(spec.template, find("StatefulSet").spec.template);
});

import assert from "node:assert/strict";
import type { Manifest } from "./manifest.ts";
import { managerManifests } from "./manifests.ts";
import { find, manifests, options } from "./manifests_fake.ts";

const pod = find("StatefulSet").spec.template.spec;
const [container] = pod.containers;

Deno.test("managerManifests() come in the order in which they can be applied", () => {
  assert.deepEqual(
    manifests.map(({ kind, metadata: { name, namespace = "" } }) =>
      `${kind} ${namespace}/${name}`
    ),
    [
      "Namespace /ambassador",
      "CustomResourceDefinition /intercepts.tp.dev",
      "CustomResourceDefinition /agents.tp.dev",
      "ValidatingAdmissionPolicy /intercepts.tp.dev",
      "ValidatingAdmissionPolicyBinding /intercepts.tp.dev",
      "ServiceAccount ambassador/traffic-manager",
      "ClusterRole /traffic-manager-ambassador",
      "ClusterRoleBinding /traffic-manager-ambassador",
      "Role default/traffic-manager-ambassador",
      "RoleBinding default/traffic-manager-ambassador",
      "Role ambassador/traffic-manager",
      "RoleBinding ambassador/traffic-manager",
      "Role ambassador/tp-user",
      "ClusterRole /tp-intercept",
      "ClusterRole /tp-admin",
      "Service ambassador/traffic-manager-agents",
      "Service ambassador/traffic-manager-any",
      "Service ambassador/traffic-manager-webhook",
      "NetworkPolicy ambassador/traffic-manager",
      "MutatingWebhookConfiguration /traffic-manager-ambassador",
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

Deno.test("intercepts of all traffic are denied where an admin says so, and nowhere else", () => {
  const policies = (allowGlobal?: boolean) =>
    managerManifests({ ...options, allowGlobal }).filter(({ kind }) =>
      kind === "ValidatingAdmissionPolicyBinding"
    ).map(({ metadata }) => metadata.name);
  assert.deepEqual(policies(), ["intercepts.tp.dev"]);
  assert.deepEqual(policies(true), policies());
  assert.deepEqual(policies(false), [
    "intercepts.tp.dev",
    "traffic-manager-ambassador-no-global",
  ]);
});

Deno.test("agents are let out to the manager in the namespaces that an admin names, and nowhere else", () => {
  const policies = (agentPolicies?: string[]) =>
    managerManifests({ ...options, agentPolicies }).filter(({ metadata }) =>
      metadata.name === "traffic-agents-ambassador"
    );
  assert.deepEqual(policies(), []);
  const [shop, bank, ...more] = policies(["shop", "bank"]);
  assert.deepEqual([shop?.metadata.namespace, more], ["shop", []]);
  assert.equal(bank?.metadata.namespace, "bank");
  const { podSelector, policyTypes, egress } = shop!.spec as {
    podSelector: unknown;
    policyTypes: string[];
    egress: { to?: unknown; ports: { port: number }[] }[];
  };
  assert.deepEqual(podSelector, { matchLabels: { "tp.dev/agent": "true" } });
  assert.deepEqual(policyTypes, ["Egress"]);
  assert.deepEqual(egress[0]!.ports.map(({ port }) => port), [7413]);
});

Deno.test("the webhook holds no pod up and takes no authority away", () => {
  const [webhook] = find(
    "MutatingWebhookConfiguration",
    "traffic-manager-ambassador",
  ).webhooks;
  assert.equal(webhook.failurePolicy, "Ignore");
  assert.equal(webhook.timeoutSeconds, 4);
  assert.equal(webhook.sideEffects, "None");
  assert.ok(!("caBundle" in webhook.clientConfig));
  const { name, namespace, port } = webhook.clientConfig.service;
  const service = find("Service", name);
  assert.equal(service.metadata.namespace, namespace);
  const [{ port: servicePort, targetPort }] = service.spec.ports;
  assert.equal(servicePort, port);
  assert.equal(containerPort(targetPort), 7414);
});

Deno.test("agents reach each copy of the manager that is ready", () => {
  const { spec } = find("Service", "traffic-manager-agents");
  assert.equal(spec.clusterIP, "None");
  assert.equal(spec.publishNotReadyAddresses, false);
  assert.deepEqual(
    spec.selector,
    find("StatefulSet").spec.selector.matchLabels,
  );
  assert.equal(spec.ports[0].port, 7413);
  assert.equal(containerPort(spec.ports[0].targetPort), 7413);
});

/** The number behind a port's name in the manager's pod. */
function containerPort(wanted: string): number {
  return container.ports.find(({ name }: { name: string }) => name === wanted)
    .containerPort;
}

Deno.test("the network lets in what comes to the manager's ports, and carriers by the API server alone", () => {
  const ports = (all: Manifest[]) => {
    const { ingress } = find("NetworkPolicy", undefined, all).spec;
    // deno-lint-ignore no-explicit-any
    return ingress.flatMap((rule: any) =>
      // deno-lint-ignore no-explicit-any
      rule.ports.map(({ port }: any) => port)
    );
  };
  assert.deepEqual(ports(manifests), [7411, 7414, 7413]);
  const endpoint = { host: "203.0.113.7", port: 30_741 };
  const direct = managerManifests({ ...options, direct: { endpoint } });
  assert.deepEqual(ports(direct), [7411, 7414, 7412, 7413]);
});

Deno.test("a schema tells each field of an intercept what it may be", () => {
  for (const name of ["intercepts.tp.dev", "agents.tp.dev"]) {
    const [version] = find("CustomResourceDefinition", name).spec.versions;
    assertBounded(version.schema.openAPIV3Schema, name);
  }
});

/** Nothing of a schema is of any length, and every object says what it holds. */
// deno-lint-ignore no-explicit-any
function assertBounded(schema: any, path: string): void {
  const { type, properties, items, additionalProperties } = schema;
  if (type === "object") {
    assert.ok(properties || additionalProperties, path);
    for (const [name, of] of Object.entries(properties ?? {})) {
      assertBounded(of, `${path}.${name}`);
    }
    if (additionalProperties) assertBounded(additionalProperties, `${path}.*`);
  } else if (type === "array") {
    assert.ok(schema.maxItems > 0, path);
    assertBounded(items, `${path}[]`);
  } else if (type === "string") {
    assert.ok(schema.enum || schema.maxLength > 0, path);
  }
}

for (const service of ["LoadBalancer", "NodePort"] as const) {
  Deno.test(`a direct endpoint behind a ${service} leads to the manager's direct port`, () => {
    const endpoint = { host: "203.0.113.7", port: 30_741 };
    const all = managerManifests({
      ...{ namespace: "ambassador", image: "example.com/tp:1" },
      ...{ version: "1.2.3", direct: { endpoint, service } },
    });
    const { spec } = find("Service", "traffic-manager-direct", all);
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

Deno.test("without a direct endpoint there is no Service, and no port for carriers beyond loopback", () => {
  assert.equal(find("Service", "traffic-manager-direct"), undefined);
  const names = container.ports.map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ["clients", "probes", "agents", "webhook"]);
});

Deno.test("managerManifests() for several copies let nodes be drained one by one", () => {
  const several = managerManifests({ ...options, replicas: 3 });
  const of = (kind: string, name?: string) => find(kind, name, several);
  assert.equal(find("StatefulSet").spec.replicas, 1);
  assert.equal(of("StatefulSet").spec.replicas, 3);
  assert.equal(find("PodDisruptionBudget"), undefined);
  const { maxUnavailable, selector } = of("PodDisruptionBudget").spec;
  assert.equal(maxUnavailable, 1);
  const { spec } = of("StatefulSet");
  assert.deepEqual(selector, spec.selector);
  // Else a change of the number would replace the pods that are there.
  assert.deepEqual(spec.template, find("StatefulSet").spec.template);
});

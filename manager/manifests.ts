/** The objects that make up the manager in the cluster, for server-side apply. */
import type { Workload } from "../k8s/mod.ts";
import { agentPort } from "./agent_api.ts";
import {
  clientPort,
  directPort,
  directServiceName,
  managerName,
  probePort,
  webhookPort,
} from "./api.ts";
import { formatDirectEndpoint } from "./direct_endpoint.ts";
import {
  managerLabels,
  type Manifest,
  manifestMeta,
  type ManifestOptions,
  podLabels as matchLabels,
  versionAnnotation,
} from "./manifest.ts";
import { agentPolicyManifests } from "./manifest_agent_policies.ts";
import { crdManifests } from "./manifest_crds.ts";
import { injectionManifests } from "./manifest_injection.ts";
import { policyManifests } from "./manifest_policies.ts";
import { rbacManifests } from "./manifest_rbac.ts";
import { roleManifests } from "./manifest_roles.ts";

/** Not root, and of nobody else. The image has the same user. */
const uid = 65_532;

/** The variable of the manager's container that lists {@link ManifestOptions.excludeEnv}. */
const excludeEnvVariable = "TP_EXCLUDE_ENV";

/** All objects, in the order in which they must come to be. */
export function managerManifests(options: ManifestOptions): Manifest[] {
  return [
    namespaceManifest(options),
    ...crdManifests(options),
    // Before anybody may write what they are about.
    ...policyManifests(options),
    serviceAccount(options),
    ...rbacManifests(options),
    ...roleManifests(options),
    ...injectionManifests(options),
    ...agentPolicyManifests(options),
    ...directService(options),
    ...disruptionBudgets(options),
    statefulSet(options),
  ];
}

/** The `excludeEnv` of an installed StatefulSet, whether these manifests made it or an admin changed it. */
export function installedExcludeEnv({ spec }: Workload): string[] {
  const own = spec?.template?.spec?.containers
    ?.find(({ name }) => name === managerName);
  const listed = own?.env?.find(({ name }) => name === excludeEnvVariable);
  return listed?.value?.split(",").filter(Boolean) ?? [];
}

/** By which laptops reach the direct port, where an admin wants one. */
function directService(options: ManifestOptions): Manifest[] {
  const { namespace, direct } = options;
  if (direct?.service === undefined) return [];
  const { port } = direct.endpoint;
  const isNodePort = direct.service === "NodePort";
  return [{
    apiVersion: "v1",
    kind: "Service",
    metadata: manifestMeta(options, { namespace, name: directServiceName }),
    spec: {
      type: direct.service,
      selector: matchLabels,
      ports: [{
        ...{ name: "direct", protocol: "TCP", targetPort: "direct" },
        port: isNodePort ? directPort : port,
        ...isNodePort ? { nodePort: port } : {},
      }],
    },
  }];
}

/** It may hold other things than the manager, so it bears no release. */
function namespaceManifest({ namespace }: ManifestOptions): Manifest {
  const metadata = { name: namespace, labels: managerLabels };
  return { apiVersion: "v1", kind: "Namespace", metadata };
}

/** Its token is for the manager's pod alone, which asks for it. */
function serviceAccount(options: ManifestOptions): Manifest {
  const { namespace } = options;
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: manifestMeta(options, { namespace }),
    automountServiceAccountToken: false,
  };
}

/** Of several copies one at a time is evicted, as when nodes are drained. A single one is no reason to keep a node. */
function disruptionBudgets(options: ManifestOptions): Manifest[] {
  const { namespace, replicas = 1 } = options;
  return replicas === 1 ? [] : [{
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: manifestMeta(options, { namespace }),
    spec: { maxUnavailable: 1, selector: { matchLabels } },
  }];
}

/** A StatefulSet, so that RBAC can name the pods. */
function statefulSet(options: ManifestOptions): Manifest {
  const { namespace, version, replicas = 1 } = options;
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: manifestMeta(options, { namespace }),
    spec: {
      replicas,
      // The field is mandatory before Kubernetes 1.33. The Service is not: it would only give the pod a name in DNS.
      serviceName: managerName,
      // A pod that never gets ready, as with an image that does not exist, is replaced by the next version all the same.
      podManagementPolicy: "Parallel",
      selector: { matchLabels },
      template: {
        metadata: {
          labels: managerLabels,
          annotations: { [versionAnnotation]: version },
        },
        spec: podSpec(options),
      },
    },
  };
}

/** Several copies do not go down with one node, where there is another. */
const apartFromEachOther = {
  preferredDuringSchedulingIgnoredDuringExecution: [{
    weight: 100,
    podAffinityTerm: {
      topologyKey: "kubernetes.io/hostname",
      labelSelector: { matchLabels },
    },
  }],
};

function podSpec(options: ManifestOptions) {
  return {
    serviceAccountName: managerName,
    automountServiceAccountToken: true,
    // One variable for each Service of the namespace: of no use here.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 10,
    nodeSelector: { "kubernetes.io/os": "linux" },
    affinity: { podAntiAffinity: apartFromEachOther },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: uid,
      seccompProfile: { type: "RuntimeDefault" },
      // The manager connects on behalf of many laptops: twice the usual number of ports, all above its own.
      // It may send ICMP echo requests, without privilege. Both are safe sysctls by the Pod Security Standards.
      sysctls: [
        { name: "net.ipv4.ip_local_port_range", value: "8192 65535" },
        { name: "net.ipv4.ping_group_range", value: `${uid} ${uid}` },
      ],
    },
    containers: [container(options)],
  };
}

function container({ image, direct, excludeEnv = [] }: ManifestOptions) {
  const withheld = excludeEnv.filter(Boolean);
  const endpoint = direct && formatDirectEndpoint(direct.endpoint);
  return {
    name: managerName,
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["manager"],
    env: [
      fromField("POD_NAMESPACE", "metadata.namespace"),
      fromField("POD_IPS", "status.podIPs"),
      // What agents run: the same.
      { name: "TP_IMAGE", value: image },
      ...withheld.length > 0
        ? [{ name: excludeEnvVariable, value: withheld.join(",") }]
        : [],
      ...endpoint ? [{ name: "TP_DIRECT_ENDPOINT", value: endpoint }] : [],
      {
        name: "MEMORY_LIMIT",
        valueFrom: { resourceFieldRef: { resource: "limits.memory" } },
      },
    ],
    ports: [
      // On the pod's loopback: port-forward alone leads there.
      { name: "clients", containerPort: clientPort, protocol: "TCP" },
      { name: "probes", containerPort: probePort, protocol: "TCP" },
      { name: "agents", containerPort: agentPort, protocol: "TCP" },
      { name: "webhook", containerPort: webhookPort, protocol: "TCP" },
      ...endpoint
        ? [{ name: "direct", containerPort: directPort, protocol: "TCP" }]
        : [],
    ],
    readinessProbe: {
      httpGet: { path: "/readyz", port: probePort },
      periodSeconds: 1,
      timeoutSeconds: 2,
    },
    livenessProbe: {
      httpGet: { path: "/livez", port: probePort },
      periodSeconds: 10,
      timeoutSeconds: 5,
    },
    resources: {
      requests: { cpu: "10m", memory: "64Mi" },
      // A stream takes 22 kB and may hold 16 KiB more: with this, some 16 000 of them.
      limits: { memory: "1Gi" },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}

function fromField(name: string, fieldPath: string) {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

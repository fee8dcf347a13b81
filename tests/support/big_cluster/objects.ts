/** Objects of a large cluster as JSON, about as long as real ones: a pod has 9 kB, a node 18 kB. */
import {
  namespaceName,
  nodeAddress,
  nodeSubnet,
  podAddress,
  serviceAddress,
  type Shape,
} from "./shape.ts";

const born = "2026-01-01T00:00:00Z";

/** What tells who set which field: the larger part of most objects. */
function managedFields(fields: number): unknown[] {
  const names = Array.from({ length: fields }, (_, n) => `f:field-number-${n}`);
  return ["kube-controller-manager", "kubelet"].map((manager) => ({
    ...{ manager, operation: "Update", apiVersion: "v1", time: born },
    fieldsType: "FieldsV1",
    fieldsV1: { "f:status": Object.fromEntries(names.map((one) => [one, {}])) },
  }));
}

function metadata(
  name: string,
  { uid, version, namespace, fields = 20 }: {
    uid: number;
    version: number;
    namespace?: string;
    fields?: number;
  },
) {
  return {
    name,
    ...namespace === undefined ? {} : { namespace },
    uid: `00000000-0000-4000-8000-${String(uid).padStart(12, "0")}`,
    resourceVersion: String(version),
    creationTimestamp: born,
    labels: {
      "app.kubernetes.io/name": name,
      "app.kubernetes.io/instance": name,
      "app.kubernetes.io/managed-by": "Helm",
      "pod-template-hash": "5d59d67564",
    },
    annotations: {
      "meta.helm.sh/release-name": name,
      "prometheus.io/scrape": "true",
    },
    managedFields: managedFields(fields),
  };
}

export function namespaceObject(n: number, version: number): unknown {
  return {
    metadata: metadata(namespaceName(n), { uid: n, version, fields: 4 }),
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  };
}

export function serviceObject(
  n: number,
  { version, shape }: { version: number; shape: Shape },
): unknown {
  const namespace = namespaceName(n % shape.namespaces);
  const address = serviceAddress(n);
  return {
    metadata: metadata(`service-${n}`, { uid: n, version, namespace }),
    spec: {
      ...{ type: "ClusterIP", clusterIP: address, clusterIPs: [address] },
      ...{ ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" },
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }],
      selector: { "app.kubernetes.io/name": `service-${n}` },
    },
    status: { loadBalancer: {} },
  };
}

export function nodeObject(
  n: number,
  { version, shape }: { version: number; shape: Shape },
): unknown {
  const name = `node-${n}`;
  const podCIDR = nodeSubnet(n);
  return {
    metadata: metadata(name, { uid: n, version, fields: 60 }),
    spec: {
      ...shape.nodesTellPods ? { podCIDR, podCIDRs: [podCIDR] } : {},
      providerID: `kind://docker/kind/${name}`,
    },
    status: {
      capacity: { cpu: "32", memory: "131811908Ki", pods: "110" },
      conditions: ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]
        .map(condition),
      addresses: [
        { type: "InternalIP", address: nodeAddress(n) },
        { type: "Hostname", address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      images: Array.from({ length: 50 }, (_, image) => ({
        names: [
          `registry.example.test/team/app-${image}@sha256:${"5d".repeat(32)}`,
          `registry.example.test/team/app-${image}:1.2.3`,
        ],
        sizeBytes: 123_456_789,
      })),
    },
  };
}

export function podObject(
  n: number,
  { version, shape }: { version: number; shape: Shape },
): unknown {
  const name = `service-${n % shape.services}-5d59d67564-${n}`;
  const ip = podAddress(n, shape);
  const hostIP = nodeAddress(n % shape.nodes);
  const containers = ["app", "istio-proxy"].map(container);
  return {
    metadata: metadata(name, {
      ...{ uid: n, version, fields: 60 },
      namespace: namespaceName(n % shape.namespaces),
    }),
    spec: {
      nodeName: `node-${n % shape.nodes}`,
      containers,
      serviceAccountName: "default",
      tolerations: Array.from({ length: 2 }, (_, n) => ({
        ...{ key: `node.kubernetes.io/not-ready-${n}`, operator: "Exists" },
        ...{ effect: "NoExecute", tolerationSeconds: 300 },
      })),
    },
    status: {
      ...{ phase: "Running", hostIP, podIP: ip, podIPs: [{ ip }] },
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .map(condition),
      containerStatuses: containers.map(({ name, image }) => ({
        ...{ name, image, ready: true, restartCount: 0, started: true },
        imageID: `registry.example.test/team/app@sha256:${"5d".repeat(32)}`,
        containerID: `containerd://${"a7".repeat(32)}`,
        state: { running: { startedAt: born } },
      })),
    },
  };
}

function condition(type: string) {
  return {
    ...{ type, status: "True", lastTransitionTime: born },
    ...{ lastProbeTime: null, reason: "AsItShould", message: "it is well" },
  };
}

function container(name: string) {
  return {
    name,
    image: "registry.example.test/team/app:1.2.3",
    ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
    env: Array.from({ length: 20 }, (_, n) => ({
      name: `SETTING_NUMBER_${n}`,
      value: "some value of a usual length",
    })),
    resources: { requests: { cpu: "100m", memory: "128Mi" } },
    livenessProbe: { httpGet: { path: "/healthz", port: "http" } },
    volumeMounts: [{ name: "kube-api-access", mountPath: "/var/run/secrets" }],
  };
}

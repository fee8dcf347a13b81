/** Workloads of one container of who.go, each as a test wants it. */
import type { Cluster } from "../cluster/mod.ts";

export interface SmallWorkload {
  readonly name: string;
  /** Default Deployment. */
  readonly kind?: "Deployment" | "ReplicaSet";
  /** Default 1. */
  readonly replicas?: number;
  /** Whether its Service means the port by number. */
  readonly byNumber?: boolean;
  /** More names of ports that the Service has. */
  readonly ports?: readonly string[];
  /** Fields of the pods. */
  readonly pod?: Record<string, unknown>;
  /** Fields of the container. */
  readonly container?: Record<string, unknown>;
}

/** What the `restricted` level of Pod Security asks of a container. */
export const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  runAsUser: 4242,
  seccompProfile: { type: "RuntimeDefault" },
};

/** The container of every one. */
export function whoContainer(more: Record<string, unknown> = {}) {
  const registry = Deno.env.get("TP_TEST_IMAGES") ?? "docker.io/local";
  return {
    name: "app",
    image: `${registry}/app:1`,
    args: ["who"],
    ports: [
      { name: "http", containerPort: 8080 },
      { name: "grpc", containerPort: 9090 },
    ],
    readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
    ...more,
  };
}

/** Applies it with its Service, and waits until it is there. */
export async function deploySmall(
  cluster: Cluster,
  namespace: string,
  { name, kind = "Deployment", replicas = 1, ...more }: SmallWorkload,
): Promise<void> {
  const { byNumber = false, ports = [], pod, container } = more;
  const labels = { app: name };
  const metadata = { name, namespace };
  const spec = {
    replicas,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [whoContainer(container)],
        ...pod,
      },
    },
  };
  const service = {
    selector: labels,
    ports: [
      { name: "http", port: 80, targetPort: byNumber ? 8080 : "http" },
      ...ports.map((port) => ({ name: port, port: 9090, targetPort: port })),
    ],
  };
  const items = [
    { apiVersion: "apps/v1", kind, metadata, spec },
    { apiVersion: "v1", kind: "Service", metadata, spec: service },
  ];
  await cluster.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  if (kind === "Deployment") {
    await cluster.rolledOut(`deployment/${name}`, { namespace });
    return;
  }
  await cluster.kubectl([
    ...["wait", "--for=jsonpath={.status.readyReplicas}=" + replicas],
    ...[`${kind.toLowerCase()}/${name}`, "--namespace", namespace],
    "--timeout=60s",
  ]);
}

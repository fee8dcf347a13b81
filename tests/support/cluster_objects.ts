/** All that is in a cluster, as far as it does not change by itself. */
import type { Cluster } from "../cluster/mod.ts";

/** Kinds that come and go with time, or with pods, whatever anybody does. */
const fleeting = new Set([
  ...["events", "events.events.k8s.io", "leases.coordination.k8s.io"],
  ...["pods", "endpoints", "endpointslices.discovery.k8s.io"],
  ...["componentstatuses", "nodes", "podmetrics.metrics.k8s.io"],
  ...["csinodes.storage.k8s.io", "ipaddresses.networking.k8s.io"],
]);

/** Annotations that count a Deployment's rollouts. */
const counters = [
  "deployment.kubernetes.io/revision",
  "deployment.kubernetes.io/revision-history",
];

/**
 * A line of JSON for each object: what it is and what somebody wants of it, without what the API server and its controllers
 * write.
 *
 * @param options.without Namespaces that are left out, with what is in them.
 */
export async function clusterObjects(
  { kubectl }: Cluster,
  { without = [] }: { without?: readonly string[] } = {},
): Promise<string[]> {
  const ask = async (args: string[]) => {
    const { code, stdout, stderr } = await kubectl(args, { timeoutMs: 60_000 });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  const kinds = (await ask(["api-resources", "--verbs=list", "-o", "name"]))
    .trim().split("\n").filter((kind) => !fleeting.has(kind));
  const all = JSON.parse(
    await ask(["get", kinds.join(","), "--all-namespaces", "-o", "json"]),
  );
  const isMeant = ({ kind, metadata }: Found) =>
    !without.includes(
      kind === "Namespace" ? metadata.name : metadata.namespace ?? "",
    );
  return all.items.filter(isMeant).map(lineOf).sort();
}

interface Found {
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  status?: unknown;
  /** Counts the rollouts of a StatefulSet or a DaemonSet. */
  revision?: number;
}

function lineOf(
  { kind, metadata, status: _status, revision: _revision, ...wanted }: Found,
): string {
  const { name, namespace = "", labels, annotations = {} } = metadata;
  const own = Object.fromEntries(
    Object.entries(annotations).filter(([key]) => !counters.includes(key)),
  );
  const rest = JSON.stringify({ labels, annotations: own, ...wanted });
  return `${kind} ${namespace}/${name} ${rest}`;
}

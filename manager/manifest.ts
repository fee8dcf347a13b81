import { managerName } from "./api.ts";
import type { DirectEndpoint } from "./direct_endpoint.ts";

export interface ManifestOptions {
  /** Where the manager shall live. */
  namespace: string;
  image: string;
  /** Release of the manager. */
  version: string;
  /** Where carriers can join directly; absent: nowhere. */
  direct?: DirectManifestOptions | undefined;
  /** Copies of the manager, each with its own laptops; 1 when absent. */
  replicas?: number | undefined;
  /** `false`: intercepts that take all traffic of a port are denied. Absent or `true`: they are not. */
  allowGlobal?: boolean | undefined;
  /** Names of environment variables of apps that no laptop is given; `*` stands for any characters. */
  excludeEnv?: readonly string[] | undefined;
  /** Namespaces whose network policies deny egress: agents there are let out to the manager. */
  agentPolicies?: readonly string[] | undefined;
}

export interface DirectManifestOptions {
  endpoint: DirectEndpoint;
  /** The kind of Service by which the port of the endpoint leads to the manager; absent: an admin sees to that. */
  service?: DirectServiceType | undefined;
}

export type DirectServiceType = "LoadBalancer" | "NodePort";

/** An object as it stands in a manifest. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

/** Annotation that tells which release an object came with. */
export const versionAnnotation = "tp.dev/version";

/** Labels of the manager's objects. */
export const managerLabels = {
  "app.kubernetes.io/name": managerName,
  "app.kubernetes.io/part-of": "tp",
  "app.kubernetes.io/managed-by": "tp",
};

/** What the manager's pods have and no other pod of their namespace. */
export const podLabels = { "app.kubernetes.io/name": managerName };

/** Metadata of an object of the manager; without a namespace it belongs to the whole cluster. */
export function manifestMeta(
  { version }: ManifestOptions,
  { name = managerName, namespace }: { name?: string; namespace?: string },
): Manifest["metadata"] {
  return {
    name,
    ...namespace === undefined ? {} : { namespace },
    labels: managerLabels,
    annotations: { [versionAnnotation]: version },
  };
}

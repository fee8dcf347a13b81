/** Which collection of the API server an object belongs to. */
import type * as o from "./object.ts";

/** One collection. `T` is the type of its objects. */
export interface Resource<
  T extends o.KubernetesObject = o.KubernetesObject,
> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** As in URLs and RBAC rules. */
  readonly plural: string;
  /** Whether its objects live in namespaces. */
  readonly namespaced: boolean;
  /** Carries `T`; never set. */
  readonly of?: T;
}

/**
 * Describes a collection.
 *
 * @param apiVersion As in manifests: `v1`, `apps/v1`.
 */
export function resource<T extends o.KubernetesObject = o.Plain>(
  apiVersion: string,
  kind: string,
  { plural = `${kind.toLowerCase()}s`, namespaced = true } = {},
): Resource<T> {
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  return { group, version, kind, plural, namespaced };
}

const clusterWide = { namespaced: false };
const rbac = "rbac.authorization.k8s.io/v1";
const admission = "admissionregistration.k8s.io/v1";

/** The collections that this program knows by itself. */
export const resources = {
  namespaces: resource<o.Namespace>("v1", "Namespace", clusterWide),
  nodes: resource<o.Node>("v1", "Node", clusterWide),
  pods: resource<o.Pod>("v1", "Pod"),
  services: resource<o.Service>("v1", "Service"),
  configMaps: resource<o.ConfigMap>("v1", "ConfigMap"),
  secrets: resource<o.Secret>("v1", "Secret"),
  serviceAccounts: resource("v1", "ServiceAccount"),
  resourceQuotas: resource("v1", "ResourceQuota"),
  events: resource<o.Event>("v1", "Event"),
  endpointSlices: resource<o.EndpointSlice>(
    "discovery.k8s.io/v1",
    "EndpointSlice",
  ),
  /** Kubernetes 1.33 and later. */
  serviceCidrs: resource<o.ServiceCidr>(
    "networking.k8s.io/v1",
    "ServiceCIDR",
    clusterWide,
  ),
  networkPolicies: resource("networking.k8s.io/v1", "NetworkPolicy", {
    plural: "networkpolicies",
  }),
  deployments: resource<o.Workload>("apps/v1", "Deployment"),
  statefulSets: resource<o.Workload>("apps/v1", "StatefulSet"),
  daemonSets: resource<o.Workload>("apps/v1", "DaemonSet"),
  replicaSets: resource<o.Workload>("apps/v1", "ReplicaSet"),
  /** Of Argo, where it is installed. */
  rollouts: resource<o.Workload>("argoproj.io/v1alpha1", "Rollout"),
  leases: resource<o.Lease>("coordination.k8s.io/v1", "Lease"),
  podDisruptionBudgets: resource("policy/v1", "PodDisruptionBudget"),
  roles: resource(rbac, "Role"),
  roleBindings: resource(rbac, "RoleBinding"),
  clusterRoles: resource(rbac, "ClusterRole", clusterWide),
  clusterRoleBindings: resource(rbac, "ClusterRoleBinding", clusterWide),
  customResourceDefinitions: resource(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    clusterWide,
  ),
  mutatingWebhookConfigurations: resource(
    admission,
    "MutatingWebhookConfiguration",
    clusterWide,
  ),
  validatingAdmissionPolicies: resource(
    admission,
    "ValidatingAdmissionPolicy",
    { plural: "validatingadmissionpolicies", namespaced: false },
  ),
  validatingAdmissionPolicyBindings: resource(
    admission,
    "ValidatingAdmissionPolicyBinding",
    clusterWide,
  ),
  selfSubjectAccessReviews: resource<o.SelfSubjectAccessReview>(
    "authorization.k8s.io/v1",
    "SelfSubjectAccessReview",
    clusterWide,
  ),
  tokenReviews: resource<o.TokenReview>(
    "authentication.k8s.io/v1",
    "TokenReview",
    clusterWide,
  ),
};

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`;
}

const known = new Map<string, Resource>(
  Object.values<Resource>(resources).map((
    one,
  ) => [`${apiVersionOf(one)} ${one.kind}`, one]),
);

/**
 * The collection of a manifest, by its `apiVersion` and `kind`.
 *
 * @throws {TypeError} when it is none of {@link resources}.
 */
export function resourceOf<T extends o.KubernetesObject>(
  object: T,
): Resource<T> {
  const { apiVersion, kind } = object;
  const found = known.get(`${apiVersion} ${kind}`);
  if (found === undefined) {
    throw new TypeError(`Cannot place object of kind "${kind}": not known`);
  }
  return found as Resource<T>;
}

/** Where in the API one object, or a collection, is. */
export interface Place {
  /** Of namespaced resources: all namespaces when missing. */
  namespace?: string | undefined;
  /** The whole collection when missing. */
  name?: string | undefined;
  subresource?: string | undefined;
}

/** The path of a collection or an object, as the API server knows it. */
export function pathOf(
  { group, version, plural, namespaced }: Resource,
  { namespace, name, subresource }: Place = {},
): string {
  const parts = group === "" ? ["api", version] : ["apis", group, version];
  if (namespaced && namespace !== undefined) {
    parts.push("namespaces", namespace);
  }
  parts.push(plural);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return `/${parts.map(encodeURIComponent).join("/")}`;
}

/** What the manager may do in the cluster, and what who connects must be allowed: no more than is used. */
import { managerName, managerPod } from "./api.ts";
import {
  type Manifest,
  manifestMeta,
  type ManifestOptions,
} from "./manifest.ts";

const group = "rbac.authorization.k8s.io";
const apiVersion = `${group}/v1`;
/** The namespace of the Service `kubernetes`. */
const apiServerNamespace = "default";
/** What an admin binds to those who shall connect; in the manager's namespace, since it names this manager's pods. */
const userRoleName = "tp-user";

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

const readByWatch = ["list", "watch"];

/** What the manager reads of the whole cluster. */
const clusterRules: Rule[] = [
  // Namespaces: which `svc.ns` are the cluster's. Nodes: where pods live, and what the leash keeps the manager from.
  { apiGroups: [""], resources: ["namespaces", "nodes"], verbs: readByWatch },
  // Where the nodes do not tell where pods live, the pods' own addresses do.
  { apiGroups: [""], resources: ["pods"], verbs: readByWatch },
  // Where Services have their addresses.
  {
    apiGroups: ["networking.k8s.io"],
    resources: ["servicecidrs"],
    verbs: readByWatch,
  },
];

/** In the namespace of the Service `kubernetes`: where the API server itself listens, for the leash. */
const apiServerRules: Rule[] = [{
  apiGroups: ["discovery.k8s.io"],
  resources: ["endpointslices"],
  resourceNames: ["kubernetes"],
  verbs: readByWatch,
}];

/**
 * In the manager's own namespace. Before Kubernetes 1.33 nothing tells where Services have their addresses but the
 * error for one that asks for an impossible address; it is asked for with `dryRun`, so none comes to be.
 */
const ownRules: Rule[] = [{
  apiGroups: [""],
  resources: ["services"],
  verbs: ["create"],
}];

/** In the manager's namespace, for who connects. */
function userRules({ replicas = 1 }: ManifestOptions): Rule[] {
  const pods = Array.from({ length: replicas }, (_, i) => managerPod(i));
  return [
    {
      apiGroups: ["apps"],
      resources: ["statefulsets"],
      resourceNames: [managerName],
      verbs: ["get"],
    },
    {
      apiGroups: [""],
      resources: ["pods"],
      resourceNames: pods,
      verbs: ["get"],
    }, // Why a pod does not get ready.
    { apiGroups: [""], resources: ["events"], verbs: readByWatch },
    // A WebSocket is a GET, SPDY a POST; since 1.35 a WebSocket needs both verbs.
    {
      apiGroups: [""],
      resources: ["pods/portforward"],
      resourceNames: pods,
      verbs: ["get", "create"],
    },
  ];
}

export function rbacManifests(options: ManifestOptions): Manifest[] {
  // Two managers in one cluster do not share what lies outside their namespaces.
  const name = `${managerName}-${options.namespace}`;
  return [
    role("ClusterRole", { rules: clusterRules, options, name }),
    binding("ClusterRole", { options, name }),
    ...inNamespace(apiServerNamespace, {
      rules: apiServerRules,
      options,
      name,
    }),
    ...inNamespace(options.namespace, {
      rules: ownRules,
      options,
      name: managerName,
    }),
    role("Role", {
      rules: userRules(options),
      ...{ options, name: userRoleName, namespace: options.namespace },
    }),
  ];
}

interface Named {
  options: ManifestOptions;
  name: string;
  /** Absent: the whole cluster. */
  namespace?: string;
}

function inNamespace(
  namespace: string,
  named: Named & { rules: Rule[] },
): Manifest[] {
  return [
    role("Role", { ...named, namespace }),
    binding("Role", { ...named, namespace }),
  ];
}

function role(
  kind: "Role" | "ClusterRole",
  { rules, options, ...place }: Named & { rules: Rule[] },
): Manifest {
  return { apiVersion, kind, metadata: manifestMeta(options, place), rules };
}

/** Gives the role of the same name to the manager. */
function binding(
  kind: "Role" | "ClusterRole",
  { options, ...place }: Named,
): Manifest {
  const { namespace } = options;
  return {
    apiVersion,
    kind: `${kind}Binding`,
    metadata: manifestMeta(options, place),
    roleRef: { apiGroup: group, kind, name: place.name },
    subjects: [{ kind: "ServiceAccount", name: managerName, namespace }],
  };
}

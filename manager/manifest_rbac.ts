/** What the manager may do in the cluster, and what who connects must be allowed: no more than is used. */
import {
  authoritySecretName,
  clusterWideName,
  managerName,
  managerPod,
} from "./api.ts";
import { apiGroup } from "./intercept.ts";
import {
  type Manifest,
  manifestMeta,
  type ManifestOptions,
} from "./manifest.ts";
import { revokeVerb } from "./manifest_policies.ts";

const group = "rbac.authorization.k8s.io";
const apiVersion = `${group}/v1`;
/** The namespace of the Service `kubernetes`. */
const apiServerNamespace = "default";
/** What an admin binds to those who shall connect; in the manager's namespace, since it names this manager's pods. */
const userRoleName = "tp-user";

export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

const readByWatch = ["list", "watch"];
const readAll = ["get", ...readByWatch];

/** The workloads that can have an agent, each of its own kind of rollout. */
export function workloadRules(verbs: string[]): Rule[] {
  const resources = ["deployments", "statefulsets", "daemonsets"];
  return [
    { apiGroups: ["apps"], resources, verbs },
    // Of Argo. A cluster without it takes the rule all the same.
    { apiGroups: ["argoproj.io"], resources: ["rollouts"], verbs },
  ];
}

/** What the manager does in the whole cluster so that workloads are intercepted wherever somebody may. */
const interceptRules: Rule[] = [
  {
    apiGroups: [apiGroup],
    resources: ["intercepts"],
    // Without the last, nobody deletes what another owns.
    verbs: [...readByWatch, "delete", revokeVerb],
  },
  {
    apiGroups: [apiGroup],
    resources: ["intercepts/status"],
    verbs: ["patch"],
  },
  {
    apiGroups: [apiGroup],
    resources: ["agents"],
    verbs: [...readAll, "create", "patch", "delete"],
  },
  // Pods get an agent when they are made: by an annotation of the template, or one eviction after the other.
  ...workloadRules(["get", "patch"]),
  { apiGroups: ["apps"], resources: ["replicasets"], verbs: ["get"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
  { apiGroups: [""], resources: ["pods/eviction"], verbs: ["create"] },
  // Why pods do not come; and what becomes of an intercept.
  {
    apiGroups: [""],
    resources: ["events"],
    verbs: ["list", "create"],
  },
  // Which pod an agent is in.
  {
    apiGroups: ["authentication.k8s.io"],
    resources: ["tokenreviews"],
    verbs: ["create"],
  },
];

/** What the manager reads of the whole cluster. */
const clusterRules: Rule[] = [
  // Namespaces: which `svc.ns` are the cluster's. Nodes: where pods live, and what the leash keeps the manager from.
  { apiGroups: [""], resources: ["namespaces", "nodes"], verbs: readByWatch },
  // Where the nodes do not tell where pods live, the pods' own addresses do. Of a laptop that wants some namespaces alone,
  // the addresses in them.
  { apiGroups: [""], resources: ["pods", "services"], verbs: readByWatch },
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

/** In the manager's own namespace. */
const ownRules: Rule[] = [
  // Before Kubernetes 1.33 nothing tells where Services have their addresses but the error for one that asks for an
  // impossible address; it is asked for with `dryRun`, so none comes to be.
  { apiGroups: [""], resources: ["services"], verbs: ["create"] },
  // A pod is made with `dryRun` to see whether the API server reaches the webhook.
  { apiGroups: [""], resources: ["pods"], verbs: ["create"] },
  // Which laptops are there.
  {
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    verbs: [...readByWatch, "create", "patch", "delete"],
  },
  // The certificate authorities. What is yet to be made has no name for RBAC.
  { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
  {
    apiGroups: [""],
    resources: ["secrets"],
    resourceNames: [authoritySecretName],
    verbs: ["get", "update"],
  },
];

/** So that the API server takes the certificate of the webhook. */
function webhookRules({ namespace }: ManifestOptions): Rule[] {
  return [{
    apiGroups: ["admissionregistration.k8s.io"],
    resources: ["mutatingwebhookconfigurations"],
    resourceNames: [clusterWideName(namespace)],
    verbs: ["get", "patch"],
  }];
}

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
  const name = clusterWideName(options.namespace);
  const rules = [
    ...clusterRules,
    ...interceptRules,
    ...webhookRules(options),
  ];
  return [
    role("ClusterRole", { rules, options, name }),
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

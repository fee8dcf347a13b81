/**
 * What admins bind to those who shall intercept. No default role holds it, for it is much: who may create intercepts in a
 * namespace gets the traffic, the environment and the volumes of its workloads. That amounts to `pods/exec` there, and to
 * reading the Secrets that its pods have.
 */
import { apiGroup } from "./intercept.ts";
import {
  type Manifest,
  manifestMeta,
  type ManifestOptions,
} from "./manifest.ts";
import { type Rule, workloadRules } from "./manifest_rbac.ts";
import { revokeVerb } from "./manifest_policies.ts";

const read = ["get", "list", "watch"];

const interceptRules: Rule[] = [
  {
    apiGroups: [apiGroup],
    resources: ["intercepts"],
    verbs: [...read, "create", "delete", "patch"],
  },
  { apiGroups: [apiGroup], resources: ["agents"], verbs: read },
  // What there is to intercept, and why its pods do not come.
  ...workloadRules(read),
  { apiGroups: ["apps"], resources: ["replicasets"], verbs: read },
  { apiGroups: [""], resources: ["services", "pods"], verbs: read },
  { apiGroups: [""], resources: ["events"], verbs: ["list", "watch"] },
];

/** Ends what others intercept, and takes agents off workloads. */
const adminRules: Rule[] = [
  ...interceptRules,
  { apiGroups: [apiGroup], resources: ["intercepts"], verbs: [revokeVerb] },
  { apiGroups: [apiGroup], resources: ["agents"], verbs: ["delete"] },
];

export function roleManifests(options: ManifestOptions): Manifest[] {
  return [
    clusterRole(options, { name: "tp-intercept", rules: interceptRules }),
    clusterRole(options, { name: "tp-admin", rules: adminRules }),
  ];
}

function clusterRole(
  options: ManifestOptions,
  { name, rules }: { name: string; rules: Rule[] },
): Manifest {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: manifestMeta(options, { name }),
    rules,
  };
}

/** What the API server denies of intercepts, although RBAC would allow it (Kubernetes 1.30 and later). */
import { apiGroup } from "./intercept.ts";
import {
  type Manifest,
  manifestMeta,
  type ManifestOptions,
} from "./manifest.ts";
import { noGlobalPolicy } from "./manifest_global_policy.ts";
import { intercepts } from "./own_resources.ts";

const apiVersion = "admissionregistration.k8s.io/v1";

/** The verb of RBAC that lets somebody delete what others own. */
export const revokeVerb = "revoke";

/** What is denied, in CEL. */
export interface Policy {
  name: string;
  operations: ("CREATE" | "UPDATE" | "DELETE")[];
  /** What validations use as `variables.NAME`; each may use those before it. */
  variables?: { name: string; expression: string }[];
  validations: { expression: string; message: string }[];
}

/** Of the owner, Kubernetes' own controllers, and who may revoke. */
const isEntitled = [
  "oldObject.spec.owner == request.userInfo.username",
  "request.userInfo.username == 'system:kube-controller-manager'",
  "request.userInfo.username.startsWith('system:serviceaccount:kube-system:')",
  `authorizer.group('${apiGroup}').resource('${intercepts.plural}')` +
  `.namespace(request.namespace).check('${revokeVerb}').allowed()`,
].join(" || ");

/**
 * An intercept is of who made it. The traffic that it brings goes to the laptop whose key the session has, so neither may
 * become another's. Nobody else changes anything of it: by another owner's reference Kubernetes would delete it, by a
 * finalizer keep it. Kubernetes' own controllers delete it with its namespace.
 */
const ownership: Policy = {
  name: `${intercepts.plural}.${apiGroup}`,
  operations: ["CREATE", "UPDATE", "DELETE"],
  validations: [{
    expression: "request.operation != 'CREATE' || " +
      "object.spec.owner == request.userInfo.username",
    message: "The owner of an intercept must be who creates it",
  }, {
    expression: "request.operation != 'UPDATE' || " +
      "(object.spec.owner == oldObject.spec.owner && " +
      "object.spec.session == oldObject.spec.session)",
    message: "An intercept keeps its owner and its session",
  }, {
    expression: `request.operation != 'UPDATE' || ${isEntitled}`,
    message: "An intercept is changed by its owner, or by who may revoke " +
      `${intercepts.plural}`,
  }, {
    expression: `request.operation != 'DELETE' || ${isEntitled}`,
    message: "An intercept is deleted by its owner, or by who may revoke " +
      `${intercepts.plural}`,
  }],
};

export function policyManifests(options: ManifestOptions): Manifest[] {
  const policies = options.allowGlobal === false
    ? [ownership, noGlobalPolicy(options.namespace)]
    : [ownership];
  return policies.flatMap((policy) => manifestsOf(policy, options));
}

function manifestsOf(
  { name, operations, variables = [], validations }: Policy,
  options: ManifestOptions,
): Manifest[] {
  const metadata = manifestMeta(options, { name });
  return [{
    apiVersion,
    kind: "ValidatingAdmissionPolicy",
    metadata,
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        resourceRules: [{
          apiGroups: [apiGroup],
          apiVersions: ["*"],
          resources: [intercepts.plural],
          operations,
        }],
      },
      ...variables.length > 0 ? { variables } : {},
      validations: validations.map((one) => ({ ...one, reason: "Forbidden" })),
    },
  }, {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata,
    spec: { policyName: name, validationActions: ["Deny"] },
  }];
}

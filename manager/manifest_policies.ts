/** What the API server denies of intercepts, although RBAC would allow it (Kubernetes 1.30 and later). */
import { clusterWideName } from "./api.ts";
import { apiGroup } from "./intercept.ts";
import {
  type Manifest,
  manifestMeta,
  type ManifestOptions,
} from "./manifest.ts";
import { intercepts } from "./own_resources.ts";

const apiVersion = "admissionregistration.k8s.io/v1";

/** The verb of RBAC that lets somebody delete what others own. */
export const revokeVerb = "revoke";
/** Denies intercepts of all traffic of a port, where an admin wants that. */
export function noGlobalPolicyName(namespace: string): string {
  return `${clusterWideName(namespace)}-no-global`;
}

interface Policy {
  name: string;
  operations: ("CREATE" | "UPDATE" | "DELETE")[];
  validations: { expression: string; message: string }[];
}

/**
 * An intercept is of who made it. The traffic that it brings goes to the laptop whose key the session has, so neither may
 * become another's. Kubernetes' own controllers delete it with its namespace.
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
    expression: "request.operation != 'DELETE' || " + [
      "oldObject.spec.owner == request.userInfo.username",
      "request.userInfo.username == 'system:kube-controller-manager'",
      "request.userInfo.username.startsWith('system:serviceaccount:kube-system:')",
      `authorizer.group('${apiGroup}').resource('${intercepts.plural}')` +
      `.namespace(request.namespace).check('${revokeVerb}').allowed()`,
    ].join(" || "),
    message: "An intercept is deleted by its owner, or by who may revoke " +
      `${intercepts.plural}`,
  }],
};

/** Of those that this manager serves. */
function noGlobal(manager: string): Policy {
  return {
    name: noGlobalPolicyName(manager),
    operations: ["CREATE"],
    validations: [{
      expression: `object.spec.manager != '${manager}' || ` +
        "!(object.spec.mode in ['intercept', 'replace']) || " +
        "has(object.spec.match)",
      message: "Intercepts of all traffic are not allowed in this cluster: " +
        "use --http-header or --http-path-equal, --http-path-prefix, " +
        "--http-path-regex",
    }],
  };
}

export function policyManifests(options: ManifestOptions): Manifest[] {
  const policies = options.allowGlobal === false
    ? [ownership, noGlobal(options.namespace)]
    : [ownership];
  return policies.flatMap((policy) => manifestsOf(policy, options));
}

function manifestsOf(
  { name, operations, validations }: Policy,
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
      validations: validations.map((one) => ({ ...one, reason: "Forbidden" })),
    },
  }, {
    apiVersion,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata,
    spec: { policyName: name, validationActions: ["Deny"] },
  }];
}

/**
 * What lets agents out where a namespace's own network policies deny egress. Only for namespaces that an admin names: a
 * policy shuts a pod in that none has shut in before, and an agent's pod is the app's.
 */
import { agentPort } from "./agent_api.ts";
import { agentLabel } from "./agent_object.ts";
import {
  type Manifest,
  manifestMeta,
  type ManifestOptions,
  podLabels,
} from "./manifest.ts";

const dnsPort = 53;

/** Two managers may have agents in one namespace. */
export function agentPolicyName(managerNamespace: string): string {
  return `traffic-agents-${managerNamespace}`;
}

export function agentPolicyManifests(options: ManifestOptions): Manifest[] {
  const { namespace: manager, agentPolicies = [] } = options;
  return agentPolicies.map((namespace) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: manifestMeta(options, {
      ...{ namespace, name: agentPolicyName(manager) },
    }),
    spec: {
      podSelector: { matchLabels: { [agentLabel]: "true" } },
      policyTypes: ["Egress"],
      egress: [
        {
          to: [{
            namespaceSelector: {
              matchLabels: { "kubernetes.io/metadata.name": manager },
            },
            podSelector: { matchLabels: podLabels },
          }],
          ports: [{ protocol: "TCP", port: agentPort }],
        },
        // The manager is found by name.
        {
          ports: ["UDP", "TCP"].map((protocol) => ({
            ...{ protocol, port: dnsPort },
          })),
        },
      ],
    },
  }));
}

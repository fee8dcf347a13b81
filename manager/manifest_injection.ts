/** By which ways agents and the API server reach the manager. */
import {
  agentPort,
  agentServiceName,
  anyManagerServiceName,
} from "./agent_api.ts";
import {
  clusterWideName,
  directPort,
  managerName,
  probePort,
  webhookPort,
  webhookServiceName,
} from "./api.ts";
import {
  type Manifest,
  manifestMeta,
  type ManifestOptions,
  podLabels,
} from "./manifest.ts";

/** Path of the webhook, and its name, which must have three parts. */
export const webhookPath = "/pods";
export const webhookName = "pods.agents.tp.dev";
/** A pod is made without an agent, rather than kept waiting longer. Who intercepts is told within 5 s that it is not reached. */
const webhookSeconds = 4;

export function injectionManifests(options: ManifestOptions): Manifest[] {
  return [
    agentService(options),
    anyManagerService(options),
    webhookService(options),
    networkPolicy(options),
    webhook(options),
  ];
}

/** Agents dial each copy of the manager by its own address. */
function agentService(options: ManifestOptions): Manifest {
  const { namespace } = options;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: manifestMeta(options, { namespace, name: agentServiceName }),
    spec: {
      clusterIP: "None",
      ipFamilyPolicy: "PreferDualStack",
      publishNotReadyAddresses: false,
      selector: podLabels,
      ports: [{
        ...{ name: "agents", protocol: "TCP", targetPort: "agents" },
        port: agentPort,
      }],
    },
  };
}

/** Where agents turn that have lost every copy: its address is known before, and does not change. */
function anyManagerService(options: ManifestOptions): Manifest {
  const { namespace } = options;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: manifestMeta(options, { namespace, name: anyManagerServiceName }),
    spec: {
      ipFamilyPolicy: "PreferDualStack",
      selector: podLabels,
      ports: [{
        ...{ name: "agents", protocol: "TCP", targetPort: "agents" },
        port: agentPort,
      }],
    },
  };
}

function webhookService(options: ManifestOptions): Manifest {
  const { namespace } = options;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: manifestMeta(options, { namespace, name: webhookServiceName }),
    spec: {
      selector: podLabels,
      ports: [{
        ...{ name: "webhook", protocol: "TCP", targetPort: "webhook" },
        port: 443,
      }],
    },
  };
}

/**
 * Who may connect to the manager's pods, where the network plugin enforces policies: not all do. The port for carriers needs
 * no rule, since a port-forward ends inside the pod. The API server and the kubelet are not pods, and laptops are anywhere.
 *
 * A namespace that has policies of its own must let its pods with an agent reach port 7413 here, and let clients reach the
 * agent: by a named port, which stands for the agent's; a policy that allows the app's port by number does not.
 */
function networkPolicy(options: ManifestOptions): Manifest {
  const { namespace, direct } = options;
  const open = [probePort, webhookPort, ...direct ? [directPort] : []];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: manifestMeta(options, { namespace, name: managerName }),
    spec: {
      podSelector: { matchLabels: podLabels },
      policyTypes: ["Ingress"],
      ingress: [
        { ports: open.map((port) => ({ protocol: "TCP", port })) },
        {
          from: [{ namespaceSelector: {} }],
          ports: [{ protocol: "TCP", port: agentPort }],
        },
      ],
    },
  };
}

/** Without `caBundle`: that is the manager's to set, and one that is set stays. */
function webhook(options: ManifestOptions): Manifest {
  const { namespace } = options;
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: manifestMeta(options, { name: clusterWideName(namespace) }),
    webhooks: [{
      name: webhookName,
      admissionReviewVersions: ["v1"],
      clientConfig: {
        service: {
          ...{ namespace, name: webhookServiceName },
          ...{ path: webhookPath, port: 443 },
        },
      },
      rules: [{
        ...{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] },
        ...{ operations: ["CREATE"], scope: "Namespaced" },
      }],
      // The cluster itself does not depend on the manager.
      namespaceSelector: {
        matchExpressions: [{
          key: "kubernetes.io/metadata.name",
          operator: "NotIn",
          values: ["kube-system"],
        }],
      },
      failurePolicy: "Ignore",
      // Containers that other webhooks add are seen too.
      reinvocationPolicy: "IfNeeded",
      sideEffects: "None",
      timeoutSeconds: webhookSeconds,
    }],
  };
}

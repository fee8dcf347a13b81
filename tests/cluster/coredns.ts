import { join } from "node:path";
import { writeImage } from "./image.ts";
import { clusterDns, clusterDomain } from "./settings.ts";

export const corednsImage = "docker.io/local/coredns:1";

/** @returns the path of CoreDNS' image */
export async function writeCorednsImage(binaries: string): Promise<string> {
  return await writeImage({
    name: corednsImage,
    entrypoint: ["/coredns"],
    files: { "/coredns": join(binaries, "coredns") },
  });
}

/**
 * The cluster's zones; every other name does not exist, since there is no upstream to ask. Nothing of the cluster's own
 * domain is kept, as kubeadm sets it up: what comes is found at once.
 */
const corefile = `(common) {
  errors
  cache 5 {
    disable success ${clusterDomain}
    disable denial ${clusterDomain}
  }
  reload
}
${clusterDomain}:53 in-addr.arpa:53 ip6.arpa:53 {
  import common
  health :8080 {
    lameduck 1s
  }
  ready :8181
  kubernetes ${clusterDomain} in-addr.arpa ip6.arpa {
    pods insecure
    ttl 5
  }
  loadbalance
}
.:53 {
  import common
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;

const labels = { "k8s-app": "kube-dns" };
const system = { name: "coredns", namespace: "kube-system" };

/** The objects of the cluster's DNS. */
export function corednsObjects(): unknown[] {
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: system },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "system:coredns" },
      rules: [
        {
          apiGroups: [""],
          resources: ["endpoints", "services", "pods", "namespaces"],
          verbs: ["list", "watch"],
        },
        {
          apiGroups: ["discovery.k8s.io"],
          resources: ["endpointslices"],
          verbs: ["list", "watch"],
        },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "system:coredns" },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: "system:coredns",
      },
      subjects: [{ kind: "ServiceAccount", ...system }],
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: system,
      data: { Corefile: corefile },
    },
    deployment(),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace: "kube-system", labels },
      spec: {
        clusterIP: clusterDns,
        selector: labels,
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    },
  ];
}

function deployment() {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...system, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: "coredns",
          dnsPolicy: "Default",
          priorityClassName: "system-cluster-critical",
          terminationGracePeriodSeconds: 1,
          containers: [{
            name: "coredns",
            image: corednsImage,
            imagePullPolicy: "IfNotPresent",
            args: ["-conf", "/etc/coredns/Corefile"],
            ports: [
              { name: "dns", containerPort: 53, protocol: "UDP" },
              { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
            ],
            readinessProbe: {
              httpGet: { path: "/ready", port: 8181 },
              periodSeconds: 1,
            },
            volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
          }],
          volumes: [{ name: "config", configMap: { name: "coredns" } }],
        },
      },
    },
  };
}

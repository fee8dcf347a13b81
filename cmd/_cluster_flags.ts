/** The flags that say which cluster is meant, and where in it the manager lives; for every command that asks it itself. */
export const clusterFlags = {
  context: {
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder: "name",
    brief: "Context of the kubeconfig (default: its current one)",
  },
  kubeconfig: {
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder: "file",
    brief: "Kubeconfig (default: $KUBECONFIG, else ~/.kube/config)",
  },
  managerNamespace: {
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder: "name",
    brief:
      "Where the traffic-manager lives (default: as configured, else ambassador)",
  },
} as const;

import type { Status } from "../connector/api.ts";
import { clusterFlags } from "./_cluster_flags.ts";
import type { ConnectFlags } from "./_connect_flags.ts";

type Place = Pick<ConnectFlags, "context" | "kubeconfig"> & {
  readonly managerNamespace?: string;
};

/** As {@link clusterFlags}, of commands that ask the connection's cluster when nothing else is said. */
export const connectedPlaceFlags = {
  ...clusterFlags,
  context: {
    ...clusterFlags.context,
    brief:
      "Context of the kubeconfig (default: the connection's, else its current one)",
  },
  managerNamespace: {
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder: "name",
    brief:
      "Where the traffic-manager lives (default: the connection's, else ambassador)",
  },
} as const;

/** Which cluster is meant: what the flags say, else the connection's; without one, the kubeconfig's current. */
export function connectedPlace(
  status: Status | undefined,
  { context, kubeconfig, managerNamespace }: Place,
): Partial<ConnectFlags> {
  const user = status?.user_daemon;
  const place = {
    context: context ?? user?.kubernetes_context,
    kubeconfig: kubeconfig ?? user?.kubeconfig,
    namespace: context === undefined ? user?.namespace : undefined,
    managerNamespace: managerNamespace ?? user?.manager_namespace,
  };
  return Object.fromEntries(
    Object.entries(place).filter(([, value]) => value !== undefined),
  );
}

import type { ApiClient } from "../k8s/mod.ts";
import { bridge, clientPort, managerPod } from "../manager/api.ts";
import type { Conn } from "../net/mod.ts";

/** Opens one carrier to the manager's pod, whichever way leads there. The manager greets first. */
export function openCarrier(
  api: ApiClient,
  { namespace, signal }: { namespace: string; signal: AbortSignal },
): Promise<Conn> {
  return api.portForward({
    ...{ namespace, pod: managerPod, port: clientPort },
    ...{ bridge, speaksFirst: true, signal },
  });
}

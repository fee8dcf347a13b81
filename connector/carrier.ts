import type { ApiClient } from "../k8s/mod.ts";
import { bridge, clientPort } from "../manager/api.ts";
import type { Conn } from "../net/mod.ts";

/** Opens one carrier to a pod of the manager, whichever way leads there. The manager greets first. */
export function openCarrier(
  api: ApiClient,
  { namespace, pod, signal }: {
    namespace: string;
    pod: string;
    signal: AbortSignal;
  },
): Promise<Conn> {
  return api.portForward({
    ...{ namespace, pod, port: clientPort },
    ...{ bridge, speaksFirst: true, signal },
  });
}

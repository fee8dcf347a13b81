import type { ApiClient } from "../../k8s/mod.ts";
import { bridge, clientPort } from "../../manager/api.ts";
import type { Conn } from "../../net/mod.ts";

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

/**
 * How old carriers become at most: less than usual where something on the way cuts connections earlier, and
 * `TP_CARRIER_SECONDS` says so. From a second to a day.
 */
export function carrierLimits(): { carrierMs?: number } {
  const seconds = Number(Deno.env.get("TP_CARRIER_SECONDS") ?? NaN);
  if (!(seconds > 0)) return {};
  return { carrierMs: Math.min(Math.max(seconds, 1), 86_400) * 1000 };
}

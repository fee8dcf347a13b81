import type { Status } from "../connector/api.ts";

/** Words for people, by what the status calls it. */
const words: Record<string, string> = {
  "spdy-websocket": "port-forward, SPDY in a WebSocket",
  spdy: "port-forward, SPDY",
  channel: "port-forward, WebSocket channels",
  kubectl: "`kubectl port-forward`",
  direct: "TLS to the manager's direct endpoint",
  exec: "a command in the manager's pod (pods/exec)",
};

/** How this laptop reaches the manager. */
export function transportText(
  { traffic_manager: manager }: Status,
): string | undefined {
  const transport = manager?.transport;
  return transport && (words[transport] ?? transport);
}

/** Probes and hooks keep asking the app, whoever has its port. Pure. */
import type { Handler, PodContainer, PortAction } from "./pod_spec.ts";
import type { PortPlan } from "./agent_ports.ts";

const probes = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
const hooks = ["postStart", "preStop"] as const;
const actions = ["httpGet", "tcpSocket", "grpc"] as const;

/** The pod's ports that kubelet asks on behalf of the container. */
export function askedPorts(container: PodContainer): number[] {
  return handlersOf(container).flatMap((handler) =>
    actions.flatMap((kind) => {
      const action = handler[kind];
      const isAsked = action !== undefined && isOfPod(action);
      return (isAsked ? numberOf(container, action) : undefined) ?? [];
    })
  );
}

/** The container, whose probes and hooks mean what they meant before its ports lost their names to the agent. */
export function askingTheApp(
  container: PodContainer,
  ports: readonly PortPlan[],
): PodContainer {
  const rewrite = (handler: Handler) => rewritten(handler, container, ports);
  const changed: PodContainer = { ...container };
  for (const kind of probes) {
    const probe = container[kind];
    if (probe) changed[kind] = rewrite(probe);
  }
  if (container.lifecycle) {
    changed.lifecycle = { ...container.lifecycle };
    for (const kind of hooks) {
      const hook = container.lifecycle[kind];
      if (hook) changed.lifecycle[kind] = rewrite(hook);
    }
  }
  return changed;
}

/** The container without them. */
export function askingNobody(container: PodContainer): PodContainer {
  const changed: PodContainer = { ...container };
  for (const kind of probes) delete changed[kind];
  delete changed.lifecycle;
  return changed;
}

function handlersOf(container: PodContainer): Handler[] {
  return [
    ...probes.map((kind) => container[kind]),
    ...hooks.map((kind) => container.lifecycle?.[kind]),
  ].filter((handler) => handler !== undefined);
}

function rewritten(
  handler: Handler,
  container: PodContainer,
  ports: readonly PortPlan[],
): Handler {
  const changed: Handler = { ...handler };
  for (const kind of actions) {
    const action = handler[kind];
    const number = action && numberOf(container, action);
    const plan = ports.find(({ port, protocol }) =>
      port === number && protocol === "TCP"
    );
    if (action === undefined || plan === undefined) continue;
    const port = isOfPod(action) ? plan.probePort ?? plan.port : plan.port;
    changed[kind] = { ...action, port };
  }
  return changed;
}

/** Another host's port is no business of the agent. */
function isOfPod({ host = "" }: PortAction): boolean {
  return host === "";
}

/** `undefined` for a name that no port of the container has. */
function numberOf(
  { ports = [] }: PodContainer,
  { port }: PortAction,
): number | undefined {
  return typeof port === "number"
    ? port
    : ports.find(({ name }) => name === port)?.containerPort;
}

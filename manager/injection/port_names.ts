/**
 * Names of ports move from the app's containers to the agent's. A Service that means a port by name takes the first
 * container that has the name for the Service's protocol, sidecars last. Pure.
 */
import type { PortPlan } from "./agent_ports.ts";
import type { ContainerPort, PodContainer } from "./pod_spec.ts";

export interface NamedPorts {
  containers: PodContainer[];
  /** What the agent's container says of its ports. */
  agentPorts: ContainerPort[];
}

export function moveNames(
  containers: readonly PodContainer[],
  plans: readonly PortPlan[],
): NamedPorts {
  const agentPorts: ContainerPort[] = [];
  const moved = new Set<string>();
  const named = new Set<string>();
  /** What is left of a port in its container. */
  const move = (port: ContainerPort): ContainerPort[] => {
    const { name, containerPort, protocol = "TCP" } = port;
    if (name === undefined) return [port];
    const { name: _moved, ...nameless } = port;
    const key = `${name}/${protocol}`;
    if (moved.has(key)) return [nameless];
    const plan = plans.find((one) =>
      one.port === containerPort && one.protocol === protocol &&
      one.names.includes(name)
    );
    if (plan === undefined) return [port];
    moved.add(key);
    const { agentPort } = plan;
    // A name can be there once in a container. One of two protocols has to stay where it was, and means the agent there.
    if (named.has(name)) {
      return [nameless, { name, containerPort: agentPort, protocol }];
    }
    named.add(name);
    agentPorts.push({ name, containerPort: agentPort, protocol });
    return [nameless];
  };
  return {
    containers: containers.map((container) =>
      container.ports === undefined
        ? container
        : { ...container, ports: container.ports.flatMap(move) }
    ),
    agentPorts,
  };
}

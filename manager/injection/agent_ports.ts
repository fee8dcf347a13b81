/** Where the agent listens for each port that it takes over. Pure. */
import type { AgentPort } from "../agent_api.ts";
import type { TakenPort } from "../agent_object.ts";
import type { PodContainer, PodSpec } from "./pod_spec.ts";
import { askedPorts } from "./probes.ts";

/** The first port that an agent takes for itself, if the pod has it free. */
const firstPort = 9900;

/** A port of the pod, with all that its agent's container says of it. */
export interface PortPlan extends AgentPort {
  readonly names: readonly string[];
}

/**
 * @param asking Containers whose probes and hooks will be asked.
 */
export function planPorts(
  taken: readonly TakenPort[],
  { spec, asking }: { spec: PodSpec; asking: readonly PodContainer[] },
): PortPlan[] {
  const used = new Set(taken.map(({ port }) => port));
  for (const { ports = [] } of allContainers(spec)) {
    for (const { containerPort } of ports) used.add(containerPort);
  }
  const asked = new Set(asking.flatMap(askedPorts));
  let last = firstPort - 1;
  const free = () => {
    do last++; while (used.has(last));
    return last;
  };
  return taken.map(({ port, protocol, names, redirect }) => {
    const isAsked = redirect && protocol === "TCP" && asked.has(port);
    return {
      ...{ port, protocol, names, redirect, agentPort: free() },
      ...isAsked ? { probePort: free() } : {},
    };
  });
}

export function allContainers(
  { containers, initContainers = [] }: PodSpec,
): PodContainer[] {
  return [...initContainers, ...containers];
}

/** Which ports of a workload's pods an agent takes over, and how. Pure. */
import type { Container, Pod, Service } from "../../k8s/mod.ts";
import type { TakenPort } from "../agent_object.ts";
import type { PodPort, Protocol } from "../intercept.ts";

export interface PortSources {
  /** Labels and spec of the pods' template. */
  labels: Readonly<Record<string, string>>;
  pod: NonNullable<Pod["spec"]>;
  /** All of the namespace. */
  services: readonly Service[];
  /** Those that intercepts name. */
  wanted: readonly PodPort[];
  /** Those that the agent has already: they stay. */
  present: readonly TakenPort[];
}

/** By number, then protocol: equal sources give equal lists. */
export function takenPorts(sources: PortSources): TakenPort[] {
  const { labels, pod, services, wanted, present } = sources;
  const found = new Map<string, TakenPort>();
  const add = (port: TakenPort) => {
    const key = keyOf(port);
    found.set(key, joined(found.get(key), port));
  };
  for (const port of present) add(port);
  for (const service of services) {
    if (!selects(service, labels)) continue;
    for (const port of portsOf(service, pod)) add(port);
  }
  for (const port of wanted) {
    if (!found.has(keyOf(port))) {
      add({ ...containerOf(pod, port), names: [], redirect: true });
    }
  }
  return [...found.values()].toSorted((a, b) =>
    a.port - b.port || (a.protocol < b.protocol ? -1 : 1)
  );
}

export function keyOf({ port, protocol }: PodPort): string {
  return `${port}/${protocol}`;
}

/** A Service without a selector means no pods by itself. */
function selects(
  { spec: { selector } = {} }: Service,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 &&
    wanted.every(([key, value]) => labels[key] === value);
}

/** The Service's ports as ports of the pod. One whose name no container bears leads nowhere. */
function portsOf(
  { spec: { clusterIP, ports = [] } = {} }: Service,
  pod: PortSources["pod"],
): TakenPort[] {
  // Who asks for a headless Service connects to the pod itself, by the port's number.
  const isHeadless = clusterIP === "None";
  return ports.flatMap((one): TakenPort[] => {
    const { port, targetPort = port, protocol = "TCP" } = one;
    if (protocol === "SCTP") return [];
    if (typeof targetPort === "number") {
      const at = containerOf(pod, { port: targetPort, protocol });
      return [{ ...at, names: [], redirect: true }];
    }
    return named(pod, targetPort, protocol).map((at) => ({
      ...at,
      names: [targetPort],
      redirect: isHeadless,
    }));
  });
}

/** The ports of that name, each with the container that bears it. */
function named(
  { containers }: PortSources["pod"],
  name: string,
  protocol: Protocol,
) {
  return containers.flatMap((container) =>
    (container.ports ?? []).filter((one) =>
      one.name === name && (one.protocol ?? "TCP") === protocol
    ).map(({ containerPort }) => ({
      ...{ port: containerPort, protocol, container: container.name },
    }))
  );
}

/** The port, with the container that says that it listens there. */
function containerOf(
  { containers }: PortSources["pod"],
  { port, protocol }: PodPort,
): PodPort & { container?: string } {
  const declares = ({ ports = [] }: Container) =>
    ports.some((one) =>
      one.containerPort === port && (one.protocol ?? "TCP") === protocol
    );
  const container = containers.find(declares)?.name;
  return { port, protocol, ...container ? { container } : {} };
}

function joined(a: TakenPort | undefined, b: TakenPort): TakenPort {
  if (a === undefined) return b;
  const container = a.container ?? b.container;
  return {
    ...{ port: a.port, protocol: a.protocol },
    ...container ? { container } : {},
    names: [...new Set([...a.names, ...b.names])].toSorted(),
    redirect: a.redirect || b.redirect,
  };
}

/**
 * Which ports an intercept is on, and where they lead on the laptop. Pure.
 *
 * 1. Ports of Services that mean the pods; else those that containers declare.
 * 2. A port that is named is looked for among them, else among what containers declare.
 * 3. What is not named must be the only one there is.
 */
import {
  type InterceptMode,
  type InterceptPort,
  isAboutPorts,
  type RequestMatch,
} from "../../manager/api.ts";
import { ConnectError } from "../failure.ts";
import {
  containerChoices,
  formatChoices,
  type PodShape,
  type PodSpec,
  type PortChoice,
  serviceChoices,
} from "./port_choices.ts";
import type { PortRequest } from "./port_request.ts";

export interface PortPlanRequest {
  mode: InterceptMode;
  /** For people: `Deployment "web"`. */
  workload: string;
  container?: string;
  /** Name of the Service whose ports are meant. */
  service?: string;
  ports: readonly PortRequest[];
  /** Which requests are wanted. */
  match?: RequestMatch;
}

export interface PlannedPort {
  readonly pod: InterceptPort;
  readonly laptop: number;
}

export interface PortPlan {
  readonly ports: readonly PlannedPort[];
  /** Whose environment and volumes are wanted. */
  readonly container: string;
}

/** Annotation that says which container people mean. */
const defaultContainer = "kubectl.kubernetes.io/default-container";

/** @throws {ConnectError} `port-unknown`, `port-ambiguous`, `service-unknown`, `container-unknown`, `match-without-requests`. */
export function planPorts(
  request: PortPlanRequest,
  shape: PodShape & { annotations?: Readonly<Record<string, string>> },
): PortPlan {
  mustHaveContainer(request, shape.pod);
  const chosen = choose(request, shape);
  mustDiffer(chosen);
  mustHaveRequests(request, chosen);
  const container = request.container ??
    chosen.find(({ choice }) => choice.container)?.choice.container ??
    shape.annotations?.[defaultContainer] ?? shape.pod.containers[0]!.name;
  const ports = chosen.map(({ choice, laptop }) => {
    const { port, protocol, service, servicePort } = choice;
    return {
      pod: {
        ...{ port, protocol },
        ...service === undefined ? {} : { service },
        ...servicePort === undefined ? {} : { servicePort },
      },
      laptop: laptop ?? port,
    };
  });
  return { ports, container };
}

interface Chosen {
  choice: PortChoice;
  laptop?: number | undefined;
}

function choose(request: PortPlanRequest, shape: PodShape): Chosen[] {
  const { mode, service, container, ports } = request;
  if (!isAboutPorts(mode)) return [];
  const ofServices = distinct(serviceChoices(named(request, shape)));
  const ofContainers = distinct(containerChoices(shape));
  if (mode === "replace") {
    const of = container ?? shape.pod.containers[0]!.name;
    const all = distinct([...ofContainers, ...ofServices]).filter((one) =>
      (one.container ?? of) === of
    );
    if (ports.length === 0) return all.map((choice) => ({ choice }));
    return ports.map((port) => find(port, request, [all, ofServices]));
  }
  const first = ofServices.length > 0 ? ofServices : ofContainers;
  const sources = service === undefined ? [first, ofContainers] : [first];
  const wanted = ports.length === 0 ? [{}] : ports;
  return wanted.map((port) => find(port, request, sources));
}

/** The shape with the Service that is named, if one is. */
function named({ service, workload }: PortPlanRequest, shape: PodShape) {
  if (service === undefined) return shape;
  const services = shape.services.filter(({ metadata }) =>
    metadata.name === service
  );
  if (services.length > 0) return { ...shape, services };
  const names = shape.services.map(({ metadata }) => `"${metadata.name}"`);
  throw new ConnectError({
    kind: "service-unknown",
    cause: `Cannot intercept ${workload} by Service "${service}": ${
      names.length === 0
        ? "no Service means its pods"
        : `the Services that mean its pods are ${names.join(", ")}`
    }`,
  });
}

/** The one choice that is meant, from the first source that has any. */
function find(
  { laptop, wanted, protocol }: PortRequest,
  { workload, mode }: PortPlanRequest,
  sources: readonly (readonly PortChoice[])[],
): Chosen {
  const fits = (one: PortChoice) =>
    (wanted === undefined || one.names.includes(wanted)) &&
    (protocol === undefined || one.protocol === protocol);
  for (const source of sources) {
    const found = source.filter(fits);
    if (found.length === 1) return { choice: found[0]!, laptop };
    if (found.length > 1) {
      throw new ConnectError({
        kind: "port-ambiguous",
        cause: `Cannot ${mode} ${workload}: ${
          wanted === undefined ? "it has the" : `"${wanted}" may be the`
        } ports ${formatChoices(found)}`,
      });
    }
  }
  const all = sources.find((source) => source.length > 0) ?? [];
  // Containers need not say where they listen.
  if (all.length === 0 && /^\d+$/.test(wanted ?? "")) {
    const port = Number(wanted);
    const names = [wanted!];
    return { choice: { port, protocol: protocol ?? "TCP", names }, laptop };
  }
  const what = wanted === undefined ? protocol ?? "" : `"${wanted}"`;
  throw new ConnectError({
    kind: "port-unknown",
    cause: all.length === 0
      ? `Cannot ${mode} ${workload}: no Service means its pods, and no container declares a port`
      : `Cannot ${mode} ${workload}: it has no port ${what}; there ${
        all.length === 1 ? "is" : "are"
      } ${formatChoices(all)}`,
  });
}

/** What leads to the same port of the pod is one choice, with all of its names. */
function distinct(choices: readonly PortChoice[]): PortChoice[] {
  const found = new Map<string, PortChoice>();
  for (const one of choices) {
    const key = `${one.port}/${one.protocol}`;
    const before = found.get(key);
    const names = [...new Set([...before?.names ?? [], ...one.names])];
    found.set(key, { ...one, ...before, names });
  }
  return [...found.values()];
}

function mustHaveContainer(
  { container, workload, mode }: PortPlanRequest,
  { containers }: PodSpec,
): void {
  const names = containers.map(({ name }) => name);
  if (container === undefined || names.includes(container)) return;
  throw new ConnectError({
    kind: "container-unknown",
    cause: `Cannot ${mode} ${workload}: it has no container "${container}"; ` +
      `there ${names.length === 1 ? "is" : "are"} ${
        names.map((name) => `"${name}"`).join(", ")
      }`,
  });
}

function mustHaveRequests(
  { match, mode, workload }: PortPlanRequest,
  chosen: readonly Chosen[],
): void {
  const datagrams = chosen.find(({ choice }) => choice.protocol === "UDP");
  if (match === undefined || datagrams === undefined) return;
  throw new ConnectError({
    kind: "match-without-requests",
    cause: `Cannot ${mode} requests of ${workload} at port ` +
      `${datagrams.choice.port}/UDP: only HTTP over TCP has requests to match`,
  });
}

function mustDiffer(chosen: readonly Chosen[]): void {
  const seen = new Set<string>();
  for (const { choice: { port, protocol } } of chosen) {
    const key = `${port}/${protocol}`;
    if (seen.has(key)) {
      throw new ConnectError({
        kind: "port-ambiguous",
        cause: `Cannot intercept port ${key} twice: it is given by two --port`,
      });
    }
    seen.add(key);
  }
}

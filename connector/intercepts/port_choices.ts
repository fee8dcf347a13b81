/** The ports of a workload's pods that can be intercepted, with the words by which they are known. Pure. */
import type { Container, Pod, Service } from "../../k8s/mod.ts";
import type { InterceptPort, Protocol } from "../../manager/api.ts";

export type PodSpec = NonNullable<Pod["spec"]>;

/** What a workload's pods are like. */
export interface PodShape {
  labels: Readonly<Record<string, string>>;
  pod: PodSpec;
  /** Those that mean its pods. */
  services: readonly Service[];
}

/** One port, found by a Service or declared by a container. */
export interface PortChoice extends InterceptPort {
  /** The container that says that it listens there. */
  readonly container?: string;
  /** What its user may call it, the usual first. */
  readonly names: readonly string[];
}

/** Whether `service` means pods with these labels. One without a selector means none by itself. */
export function isMeantBy(
  { spec: { selector } = {} }: Service,
  labels: Readonly<Record<string, string>>,
): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 &&
    wanted.every(([key, value]) => labels[key] === value);
}

/** Ports of Services, as they lead to the pods. */
export function serviceChoices({ pod, services }: PodShape): PortChoice[] {
  return services.flatMap(({ metadata, spec: { ports = [] } = {} }) =>
    ports.flatMap((one): PortChoice[] => {
      const { port, name, targetPort = port, protocol = "TCP" } = one;
      if (protocol === "SCTP") return [];
      const numbers = typeof targetPort === "number"
        ? [targetPort]
        : numbersOf(pod, targetPort, protocol);
      return numbers.map((number) => ({
        port: number,
        protocol,
        service: metadata.name!,
        servicePort: name ?? String(port),
        names: [...name === undefined ? [] : [name], String(port)],
        ...containerOf(pod, number, protocol),
      }));
    })
  );
}

/** Ports that containers declare. */
export function containerChoices(
  { pod }: Pick<PodShape, "pod">,
): PortChoice[] {
  return pod.containers.flatMap(({ name: container, ports = [] }) =>
    ports.flatMap((one): PortChoice[] => {
      const { containerPort: port, name, protocol = "TCP" } = one;
      if (protocol === "SCTP") return [];
      const names = [...name === undefined ? [] : [name], String(port)];
      return [{ port, protocol, container, names }];
    })
  );
}

/** As a list for people: `"http" (80) of Service "web"`. */
export function formatChoices(choices: readonly PortChoice[]): string {
  return choices.map(({ names, service, container, protocol }) => {
    const [first, ...others] = names;
    const numbers = others.length > 0 ? ` (${others.join(", ")})` : "";
    const where = service !== undefined
      ? ` of Service "${service}"`
      : container === undefined
      ? ""
      : ` of container "${container}"`;
    return `"${first}"${numbers}${protocol === "UDP" ? "/UDP" : ""}${where}`;
  }).join(", ");
}

function numbersOf(
  { containers }: PodSpec,
  name: string,
  protocol: Protocol,
): number[] {
  const numbers = containers.flatMap(({ ports = [] }) =>
    ports.filter((one) =>
      one.name === name && (one.protocol ?? "TCP") === protocol
    ).map(({ containerPort }) => containerPort)
  );
  return [...new Set(numbers)];
}

function containerOf(
  { containers }: PodSpec,
  port: number,
  protocol: Protocol,
): { container?: string } {
  const declares = ({ ports = [] }: Container) =>
    ports.some((one) =>
      one.containerPort === port && (one.protocol ?? "TCP") === protocol
    );
  const container = containers.find(declares)?.name;
  return container === undefined ? {} : { container };
}

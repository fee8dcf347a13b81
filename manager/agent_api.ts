/** What crosses between the manager and the agents; agent/SPEC.md tells how. */
import { Ip } from "../net/mod.ts";
import type {
  InterceptMode,
  PodPort,
  RequestMatch,
  WorkloadRef,
} from "./intercept.ts";
import { type LogWish, logWishOf } from "./log_wish.ts";

/** Where the manager waits for agents, with TLS and on the address of its pod. */
export const agentPort = 7413;
/** The headless Service whose addresses are the manager's copies. */
export const agentServiceName = "traffic-manager-agents";
/** Service with an address of its own, which leads to any copy of the manager that is ready. */
export const anyManagerServiceName = "traffic-manager-any";
/** Audience of the token by which an agent proves its pod. */
export const agentAudience = "manager.tp.dev";
/** The name that the manager's certificate bears for agents. */
export const managerTlsName = "manager.tp.invalid";

/** Paths in the agent's container. */
export const agentPaths = {
  /** Projected: `token` and `ca.pem`. */
  trust: "/run/tp/trust",
  /** A directory for each container whose environment and volumes can be had, with its Unix sockets. */
  containers: "/run/tp/containers",
} as const;

/** `TP_AGENT`, JSON: what the agent is told when its pod is made. */
export interface AgentConfig {
  readonly namespace: string;
  readonly workload: WorkloadRef;
  /** Name of the Service whose addresses are the manager's copies, with its namespace: `name.namespace.svc`. */
  readonly manager: string;
  /** Likewise, of the Service whose one address leads to any copy that is ready. */
  readonly anyManager: string;
  readonly ports: readonly AgentPort[];
  /** Whose environment and volumes can be had. */
  readonly containers: readonly AgentContainer[];
}

/** A port that the agent takes over. */
export interface AgentPort extends PodPort {
  /** Where the agent listens in its place. */
  readonly agentPort: number;
  /** Whether traffic is redirected from one to the other. */
  readonly redirect: boolean;
  /** A port that is redirected to the app's whatever happens: probes ask there. */
  readonly probePort?: number;
}

export interface AgentContainer {
  readonly name: string;
  /** Paths of its volumes in the container, as in its `volumeMounts`. */
  readonly mounts: readonly { path: string; readOnly: boolean }[];
}

/** A line of the stream `rules`: all of them, each time. */
export interface Rules {
  /** Counts lines; the agent answers it, as a line, once it does as they say. */
  readonly version: number;
  /** Pod of the manager that speaks. */
  readonly manager: string;
  readonly rules: readonly Rule[];
  /** PEM, in the first line of a stream: the authorities to be trusted from then on. A former release tells none. */
  readonly authorities?: string;
}

export interface Rule {
  /** UID of the intercept. */
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly mode: InterceptMode;
  readonly ports: readonly PodPort[];
  readonly match?: RequestMatch;
  /** Of `proxy-via`: what of addresses may be dialled in the pod. */
  readonly subnets?: readonly string[];
  /** Pod of the manager that holds the laptop's session; the stream is to be opened there. */
  readonly manager: string;
}

/** A line the other way: the app was given what is the laptop's, as that did not take it. Told now and then. */
export interface Fallback {
  /** UID of the intercept. */
  readonly fallback: string;
  /** For people. */
  readonly reason: string;
}

/** What an agent wants of the manager. */
export type AgentTarget =
  /** Lines of {@link Rules}; the other way, numbers of lines and {@link Fallback}. Must be the first of a session, and again with each new token. */
  | { readonly kind: "rules"; readonly token: string }
  /** A connection (or flow of datagrams) for the laptop that has the intercept. */
  | {
    readonly kind: "laptop";
    readonly intercept: string;
    readonly port: PodPort;
  };

/** What a laptop wants of a pod. */
export type PodWish =
  /** One {@link ContainerEnvironment} as JSON, then the end. */
  | { readonly kind: "environment"; readonly container: string }
  /** SFTP (draft-ietf-secsh-filexfer-02) with the container's volumes below `/`. */
  | { readonly kind: "files"; readonly container: string }
  /** A port of the pod's loopback address. */
  | { readonly kind: "loopback"; readonly port: PodPort }
  /** A connection (or flow of datagrams) from the pod to anywhere. */
  | { readonly kind: "address"; readonly ip: Ip; readonly port: PodPort }
  /** More of the logs of all agents of the workload, for a while; then one {@link AgentsLogging} as JSON. */
  | LogWish;

/** How many agents do as a {@link LogWish} says. */
export interface AgentsLogging {
  readonly agents: number;
  /** Those that do not, and why the first of them. */
  readonly others?: { readonly count: number; readonly why: string };
}

/** What the manager wants of an agent: a wish that it has allowed. */
export type PodTarget =
  | Exclude<PodWish, { kind: "address" }>
  | Extract<PodWish, { kind: "address" }> & {
    /** UID of the intercept whose rule tells the subnets. */
    readonly intercept: string;
  };

/** What a laptop wants of an agent; the manager chooses the pod. */
export interface InterceptedTarget {
  readonly kind: "pod";
  /** UID of an intercept that is the asking session's. */
  readonly intercept: string;
  readonly wanted: PodWish;
}

/** Whether a stream for it carries datagrams. */
export function carriesDatagrams(wanted: PodWish): boolean {
  return "port" in wanted && wanted.port.protocol === "UDP";
}

export interface ContainerEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly { path: string; readOnly: boolean }[];
  /** Names of variables that an admin withholds, `*` for any characters; the manager adds them. */
  readonly withheld?: readonly string[];
  /** Address of the pod; the manager adds it. */
  readonly podIp?: string;
}

/** What the manager wants of a laptop. It looks the address up itself. */
export interface LaptopTarget {
  readonly intercept: string;
  readonly port: PodPort;
}

export const encodeAgentTarget = encodeJson<AgentTarget>;
export const encodePodTarget = encodeJson<PodTarget>;
export const encodeLaptopTarget = encodeJson<LaptopTarget>;
export const encodeInterceptedTarget = encodeJson<InterceptedTarget>;

function encodeJson<T>(target: T): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(target));
}

/** A line that an agent writes; `undefined` for one that this release does not know. */
export function parseAgentLine(line: string): number | Fallback | undefined {
  if (/^\d{1,15}$/.test(line)) return Number(line);
  const { fallback, reason } = parse(new TextEncoder().encode(line)) ?? {};
  return typeof fallback === "string" && typeof reason === "string"
    ? { fallback, reason }
    : undefined;
}

/** Reads what {@link encodeAgentTarget} wrote; `undefined` for what this release does not know. */
export function decodeAgentTarget(bytes: Uint8Array): AgentTarget | undefined {
  const target = parse(bytes);
  if (target?.kind === "rules" && typeof target.token === "string") {
    return { kind: "rules", token: target.token };
  }
  if (target?.kind !== "laptop") return undefined;
  const laptop = laptopTargetOf(target);
  return laptop && { kind: "laptop", ...laptop };
}

/** As {@link decodeAgentTarget}. */
export function decodePodTarget(bytes: Uint8Array): PodTarget | undefined {
  const target = parse(bytes);
  const wish = podWishOf(target);
  if (wish?.kind !== "address") return wish;
  const intercept = target?.intercept;
  return typeof intercept === "string" ? { ...wish, intercept } : undefined;
}

/** As {@link decodeAgentTarget}. */
export function decodeInterceptedTarget(
  bytes: Uint8Array,
): InterceptedTarget | undefined {
  const { intercept, wanted: value } = parse(bytes) ?? {};
  const wanted = podWishOf(value as Record<string, unknown> | undefined);
  return typeof intercept === "string" && wanted
    ? { kind: "pod", intercept, wanted }
    : undefined;
}

function podWishOf(
  target: Record<string, unknown> | undefined,
): PodWish | undefined {
  if (target?.kind === "environment" || target?.kind === "files") {
    const { kind, container } = target;
    return typeof container === "string" ? { kind, container } : undefined;
  }
  if (target?.kind === "log") return logWishOf(target);
  const port = podPortOf(target?.port);
  if (port === undefined) return undefined;
  if (target?.kind === "loopback") return { kind: "loopback", port };
  const ip = target?.kind === "address" && typeof target.ip === "string"
    ? Ip.tryParse(target.ip)
    : undefined;
  return ip && { kind: "address", ip, port };
}

/** As {@link decodeAgentTarget}. */
export function decodeLaptopTarget(
  bytes: Uint8Array,
): LaptopTarget | undefined {
  return laptopTargetOf(parse(bytes));
}

function laptopTargetOf(
  target: Record<string, unknown> | undefined,
): LaptopTarget | undefined {
  const port = podPortOf(target?.port);
  const intercept = target?.intercept;
  return typeof intercept === "string" && port
    ? { intercept, port }
    : undefined;
}

function podPortOf(value: unknown): PodPort | undefined {
  const { port, protocol } = value as Partial<PodPort> ?? {};
  const isPort = Number.isInteger(port) && port! > 0 && port! < 65_536;
  return isPort && (protocol === "TCP" || protocol === "UDP")
    ? { port: port!, protocol }
    : undefined;
}

function parse(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

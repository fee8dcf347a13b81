/** The objects `intercepts.tp.dev`: what a laptop wants of a workload, written with its user's own credentials. */
import type { KubernetesObject } from "../k8s/mod.ts";

export const apiGroup = "tp.dev";
export const apiVersion = `${apiGroup}/v1`;

/** What an intercept does with the workload's traffic. */
export const interceptModes = [
  /** Traffic goes to the laptop; what does not match goes to the app. */
  "intercept",
  /** As intercept, and the app's container does not run. */
  "replace",
  /** The laptop gets a copy; its answers are thrown away. */
  "wiretap",
  /** No traffic: environment and volumes only. */
  "ingest",
  /** No traffic, and nothing of a container: what the laptop sends to some addresses is dialled in a pod. */
  "proxy-via",
] as const;
export type InterceptMode = typeof interceptModes[number];

/** Whether intercepts of a mode are about what comes to the workload's ports; others have none. */
export function isAboutPorts(mode: InterceptMode): boolean {
  return mode !== "ingest" && mode !== "proxy-via";
}

export type Protocol = "TCP" | "UDP";

/** A port of a workload's pods, as the app listens on it. */
export interface PodPort {
  readonly port: number;
  readonly protocol: Protocol;
}

/** A port that is intercepted, with how its user named it. */
export interface InterceptPort extends PodPort {
  /** The Service by which it was found. */
  readonly service?: string;
  /** Name or number of the Service's port. */
  readonly servicePort?: string;
}

/** A condition on one header, by its name in any case. */
export interface HeaderMatch {
  readonly name: string;
  /** `wildcard`: `*` stands for any octets. `regex`: matches anywhere unless anchored. */
  readonly kind: "exact" | "wildcard" | "regex";
  readonly value: string;
}

/** Which HTTP requests are meant. */
export interface RequestMatch {
  /** Whether all conditions must hold, or one. */
  readonly combine: "all" | "any";
  readonly headers?: readonly HeaderMatch[];
  /** On the path without its query. */
  readonly path?: {
    readonly kind: "equal" | "prefix" | "regex";
    readonly value: string;
  };
  readonly methods?: readonly string[];
}

/** A workload, in the namespace of the object that names it. */
export interface WorkloadRef {
  /** As in `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export interface InterceptSpec {
  /** The name that its user gave it; unique for the session. */
  readonly name: string;
  /** Who made it, as the API server knows them. Cannot change. */
  readonly owner: string;
  /** Thumbprint of the laptop's key: the session that the traffic goes to. Cannot change. */
  readonly session: string;
  /** Namespace of the manager that the session is with: any other leaves it alone. */
  readonly manager: string;
  /** The laptop, for people: `user@host`. */
  readonly client: string;
  readonly workload: WorkloadRef;
  readonly mode: InterceptMode;
  /** Whose environment and volumes are wanted; of no account for `proxy-via`. */
  readonly container: string;
  /** None for `ingest` and `proxy-via`. */
  readonly ports: readonly InterceptPort[];
  /** Absent: all traffic of the ports. */
  readonly match?: RequestMatch;
  /** Of `proxy-via`: the addresses that are dialled in a pod. */
  readonly subnets?: readonly string[];
}

export const interceptPhases = [
  /** Pods with an agent are on their way. */
  "Waiting",
  /** Every pod of the workload has it. */
  "Active",
  /** The laptop is away: the traffic is the app's until it is back. */
  "Away",
  /** Another intercept has the traffic; the message names its holder. */
  "Conflict",
  /** It cannot come about; the message says why. */
  "Failed",
] as const;
export type InterceptPhase = typeof interceptPhases[number];

/** Why an intercept has failed, where somebody can do more about it than mend what the message tells. */
export type InterceptFailure =
  /** The workload has agents of another manager. */
  "OtherManager";

export interface InterceptStatus {
  readonly phase: InterceptPhase;
  /** Of what has failed; absent where the message is all. */
  readonly reason?: InterceptFailure;
  /** For people; absent when all is well. */
  readonly message?: string;
  /** Facts beside the message, such as events of a pod that does not come. */
  readonly details?: readonly string[];
  /** Pod of the manager that holds the laptop's session. */
  readonly manager?: string;
  /** Pods of the workload, and how many of them have this intercept. */
  readonly pods?: { readonly ready: number; readonly wanted: number };
}

export interface Intercept extends KubernetesObject {
  spec: InterceptSpec;
  status?: InterceptStatus;
}

/** Label of an intercept: the first 32 digits of its session's thumbprint. */
export const sessionLabel = `${apiGroup}/session`;
/** Label of an intercept: hash of the user and the laptop, so that what a dead connector left is found. */
export const clientLabel = `${apiGroup}/client`;

export function sessionLabelOf(thumbprint: string): string {
  return thumbprint.slice(0, 32);
}

/** Name of the object: names of intercepts are unique for a session only. */
export function interceptObjectName(name: string, thumbprint: string): string {
  return `${name.slice(0, 200)}-${thumbprint.slice(0, 10)}`;
}

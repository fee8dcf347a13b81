// deno-lint-ignore-file camelcase -- the names that scripts for Telepresence know
/** What crosses the threshold between `tp` commands and the connector's intercepts. All of it is JSON. */
import type {
  InterceptMode,
  PodPort,
  Protocol,
  RequestMatch,
} from "../../manager/api.ts";
import type { Failure } from "../failure.ts";
import type { PortRequest } from "./port_request.ts";

export type { InterceptMode, PodPort, Protocol, RequestMatch };
export { type PortRequest } from "./port_request.ts";

/** What `tp intercept`, `replace`, `wiretap` and `ingest` ask for. */
export interface InterceptRequest {
  name: string;
  mode: InterceptMode;
  /** Its name, or `KIND/NAME`; absent: as the intercept. */
  workload?: string;
  service?: string;
  /** Absent: the connection's. */
  namespace?: string;
  /** Absent: the one that has the first port. */
  container?: string;
  /** None: the only port there is, or all of the container for `replace`. */
  ports: PortRequest[];
  /** Where the laptop's ports are: an IP address, or a name that the laptop resolves for each connection. */
  address: string;
  match?: RequestMatch;
  /** Of the mode `proxy-via`: what its pods dial. */
  subnets?: string[];
  /** Ports of the pod's loopback address that are to be had on the laptop's. */
  toPod: PodPort[];
  /** Absent: the volumes are not mounted. */
  mount?: MountRequest;
  /** Nothing in the cluster: single labels of the namespace resolve, that is all. */
  localOnly: boolean;
  /** The intercept ends with who asks for it; nothing needs to listen yet. */
  isHeld: boolean;
  /** Who asks starts what listens once the intercept stands. */
  isServedLater?: boolean;
}

/** One that this connection has, and what was asked for, `namespace` always said. */
export interface OwnIntercept {
  request: InterceptRequest;
  info: InterceptInfo;
}

export interface MountRequest {
  /** Absent: a directory is made. */
  mountPoint?: string;
  readOnly: boolean;
}

/** What happens while intercepting, in order; `intercepted` or `failed` is the last, but `turned` and `ended` may follow if it is held. */
export type InterceptEvent =
  | { event: "progress"; text: string }
  | { event: "intercepted"; info: InterceptInfo }
  | { event: "failed"; failure: Failure }
  /** It stands, and another has its traffic, or it has it again: completes the sentence `"NAME" …`. */
  | { event: "turned"; text: string }
  /** It is no more, by no doing of who holds it. */
  | { event: "ended"; reason: string };

export interface LeaveRequest {
  name: string;
  /** Tells intercepts of one workload's containers apart. */
  container?: string;
  /** Ends it only while it is being made. */
  onlyUnfinished?: boolean;
}

export interface LeaveOutcome {
  /** The cluster may have it yet, and is asked again as long as the connection stands. */
  isPending: boolean;
}

export const dispositions = [
  "ACTIVE",
  "WAITING",
  "NO_CLIENT",
  "AGENT_ERROR",
  "BAD_ARGS",
] as const;

/** One intercept. */
export interface InterceptInfo {
  /** UID of its object; empty for one that is on the laptop only. */
  id: string;
  name: string;
  namespace: string;
  mode: InterceptMode | "local-only";
  disposition: typeof dispositions[number];
  /** Why it is not active, or will not be for good. */
  message?: string;
  workload?: string;
  workload_kind?: string;
  container?: string;
  /** Who has it, as the API server knows them, and on which laptop. */
  owner?: string;
  client?: string;
  /** Whether it is of this connection. */
  own: boolean;
  /** Of this connection's: where the laptop serves its first port. */
  target_host?: string;
  target_port?: number;
  /** The first port: as the Service names it, in the container, its protocol. */
  port_id?: string;
  /** The same; Telepresence's older name for it. */
  service_port_id?: string;
  service_name?: string;
  service_uid?: string;
  container_port?: number;
  protocol?: Protocol;
  ports: InterceptPortInfo[];
  pods?: { ready: number; wanted: number };
  /** What is intercepted, in words. */
  filter_desc?: string;
  http_filter?: string[];
  /** Whether it has all traffic of its ports. */
  global: boolean;
  /** What is dialled in the workload's pods. */
  subnets?: string[];
  /** Of this connection's, once it is active. */
  environment?: Record<string, string>;
  mount?: MountInfo;
  /** Of this connection's: address of the pod from which environment and volumes came when it became active. */
  pod_ip?: string;
}

export interface InterceptPortInfo {
  container_port: number;
  protocol: Protocol;
  service_name?: string;
  service_uid?: string;
  port_id?: string;
  /** Absent for another laptop's. */
  target_port?: number;
}

export interface MountInfo {
  /** Where the volumes are on the laptop. */
  local_dir?: string;
  /** Where they are in the pod's container for files. */
  remote_dir?: string;
  /** Paths of the volumes in the container. */
  mounts: string[];
  /** As the intercept's. */
  pod_ip?: string;
  /** Why they are not there. */
  error?: string;
}

/** One workload of a namespace, as `tp list` shows it. */
export interface WorkloadInfo {
  name: string;
  namespace: string;
  workload_resource_type: string;
  uid: string;
  /** Why it cannot be intercepted; absent when it can. */
  not_interceptable_reason?: string;
  /** Whether its pods have an agent. */
  agent: boolean;
  /** Of all laptops. */
  intercept_infos: InterceptInfo[];
  /** Those of them that are ingests; absent where there are none. */
  ingest_infos?: InterceptInfo[];
  /** By UID. */
  services: Record<
    string,
    { name: string; namespace: string; ports: ServicePortInfo[] }
  >;
}

export interface ServicePortInfo {
  name?: string;
  port: number;
}

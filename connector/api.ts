// deno-lint-ignore-file camelcase -- the names that scripts for Telepresence know
/** What crosses the threshold between `tp` commands and the connector. All of it is JSON. */
import type { NameSettings } from "../dns/mod.ts";
import type { LogLevel } from "../log.ts";
import type { Failure } from "./failure.ts";
import type { InterceptInfo } from "./intercepts/api.ts";

export { type Failure, type FailureKind, failureKinds } from "./failure.ts";
export * from "./intercepts/api.ts";
export {
  formatPortRequest,
  parsePodPort,
  parsePortRequest,
} from "./intercepts/port_request.ts";
export {
  parsePublishedPort,
  type PublishedPort,
} from "./run/published_port.ts";
export { parseConnectionName } from "./connection_name.ts";
export { parseMappedNamespaces } from "./cluster/mapped_namespaces.ts";
export { parseProxyWishes } from "./network/proxy_wishes.ts";
export { parseSubnetWishes } from "./network/subnet_wishes.ts";
export { diskFullCause, isDiskFull } from "./process/disk_full.ts";
export { maxReplicas } from "../manager/api.ts";
export { protocolVersions } from "../tunnel/mod.ts";

/** What `tp connect` asks for. */
export interface ConnectRequest {
  /** Of the connection, a label; with one that no other has, it is a further one. Absent: made of context and namespace. */
  name?: string;
  /** Name of the kubeconfig's context; absent: the current one. */
  context?: string;
  /** One file; absent: `KUBECONFIG` of the connector's environment, else the default file. */
  kubeconfig?: string;
  /** Where single-label names resolve; absent: the context's namespace. */
  namespace?: string;
  managerNamespace: string;
  /** Image to install as manager if none is there. */
  image: string;
  /** The user has named it, and is told when it is not used. */
  isImageGiven?: boolean;
  /** How names are looked up; absent: as for a user who says nothing. */
  dns?: DnsSettings;
  /** Subnets in which the cluster goes before routes of the host; absent: none. */
  allowConflictingSubnets?: string[];
  /** What is always reached by virtual addresses: subnets, `service`, `pods`, `also`, `all`; absent: none. */
  vnat?: string[];
  /** The only namespaces whose names resolve, and whose services and pods are reached, beside the connection's; absent: all. */
  mappedNamespaces?: string[];
  /** What is reached through the cluster, too: subnets, addresses and names; absent: none. */
  alsoProxy?: string[];
  /** What is not, though the cluster has it, unless something narrower is also proxied; absent: none. */
  neverProxy?: string[];
  /**
   * `SUBNET=WORKLOAD`: as {@link ConnectRequest.vnat}, and pods of the workload (`[NAMESPACE/][KIND/]NAME`) dial; the workload
   * `local` means the manager's pod. Absent: none.
   */
  proxyVia?: string[];
}

/** Told to who names an image for a manager that is there. */
export const imageUnusedText =
  "--image was not used: the traffic manager is installed already; `tp install --image IMAGE` changes it";

/** What a user says of DNS. */
export interface DnsSettings extends NameSettings {
  /** How long the cluster may take to answer. */
  lookupTimeoutMs?: number;
}

/** {@link DnsSettings} as far as they are set. */
export interface DnsSettingsStatus {
  include_suffixes?: readonly string[];
  exclude_suffixes?: readonly string[];
  excludes?: readonly string[];
  mappings?: readonly { name: string; aliasFor: string }[];
  served_top_level_namespaces?: readonly string[];
  /** Nanoseconds. */
  lookup_timeout: number;
}

/** What `tp loglevel` asks for. */
export interface LogLevelRequest {
  level: LogLevel;
  /** How long; 0: until its process ends. */
  seconds: number;
  /** Whose logs. */
  laptop: boolean;
  cluster: boolean;
}

/** What became of it: lines of what was done, and what could not be. */
export interface LogLevelAnswer {
  done: string[];
  problems: string[];
}

/** What happens while connecting, in order; the last is `connected` or `failed`. */
export type ConnectEvent =
  | { event: "progress"; text: string }
  /** The daemon has to be started by who has the user's terminal. */
  | { event: "daemon-needed" }
  /** `already`: the connection was there before this request. */
  | { event: "connected"; already: boolean; status: Status }
  /** `stands`: a connection that was there before still is. Otherwise the connector undoes all and ends. */
  | { event: "failed"; failure: Failure; stands: boolean };

/** One of this laptop's. */
export interface InterceptStatus {
  name: string;
  /** `user@host`; empty for one that the cluster does not know of. */
  client: string;
  namespace: string;
  disposition: InterceptInfo["disposition"];
}

/** State of a connector. */
export interface ConnectorStatus {
  /** Those that stand, in order of age. */
  connections: Status[];
  /** Names of those that are being made. */
  connecting: string[];
  /** What there is to tell while there is none. */
  idle: Status;
}

/** State of a connection. Field names are those that scripts for Telepresence know. */
export interface Status {
  user_daemon: {
    running: true;
    version: string;
    executable: string;
    pid: number;
    status: "Connected" | "Connecting" | "Not connected" | "Quitting";
    /** Why the connection is not well, when it is not. */
    error?: string;
    /** The last warning or error in the connector's log, which may be over. */
    last_error?: {
      /** RFC 3339. */
      time: string;
      text: string;
    };
    /** Of the connection: names in its cluster may end in it. */
    name?: string;
    kubernetes_server?: string;
    kubernetes_context?: string;
    /** The kubeconfig that was given; absent: the usual place. */
    kubeconfig?: string;
    namespace?: string;
    manager_namespace?: string;
    /** The only namespaces that are reached; absent: all. */
    mapped_namespaces?: readonly string[];
    intercepts: InterceptStatus[];
    replacements: InterceptStatus[];
    wiretaps: InterceptStatus[];
    ingests: InterceptStatus[];
    /** Those by which pods dial: `--proxy-via`. */
    proxy_vias: InterceptStatus[];
  };
  root_daemon?: {
    running: boolean;
    version: string;
    /** Name of the TUN device. */
    device: string;
    dns: DnsSettingsStatus & {
      /** Address that the host's resolver asks. */
      vif_address: string;
      /** How the host's resolver was told. */
      edge: "systemd-resolved" | "/etc/resolv.conf" | "/etc/resolver";
      /** Why it was told that way, as a sentence without final period. */
      edge_reason: string;
      /** Zones whose names the daemon lets no resolver send to the cluster, or that are too many, or no zones. */
      refused_zones: string[];
      /** The host's own nameservers, which answer all other names. */
      nameservers: string[];
      cluster_domain: string;
      /** Namespaces called like a top-level domain, which the user has not opened: `service.namespace` is not the cluster's there. */
      unserved_namespaces: string[];
    };
    /** Subnets routed to the cluster. */
    subnets: string[];
    /** Subnets that are reached through the cluster as the user says, single addresses of names among them. */
    also_proxy_subnets: string[];
    /** Subnets that are not, unless something narrower is also proxied. */
    never_proxy_subnets: string[];
    /** Names in either, whose addresses are followed; none while nobody knows the name. */
    followed_names: readonly {
      name: string;
      proxied: "also" | "never";
      addresses: readonly string[];
    }[];
    /** Subnets that are reached by virtual addresses, each with its reason. */
    virtual_subnets: {
      subnet: string;
      /** Where the virtual addresses are from. */
      ranges: string[];
      reason: string;
      /** RFC 3339. */
      since: string;
      /** Flows that were opened before by addresses of the subnet itself, whose packets go the host's own way since. */
      stranded_flows: number;
    }[];
    /** Where virtual addresses are taken from, how many stand for something, and how many can. */
    virtual_ranges: { range: string; used: number; size: number }[];
    /** Subnets of the cluster that this laptop has no way to, each with its reason. */
    skipped_subnets: { subnet: string; reason: string }[];
  };
  traffic_manager?: {
    name: string;
    /** The copy of it that this laptop uses. */
    pod: string;
    version: string;
    session: {
      state: "connected" | "waiting";
      /** When this state began (RFC 3339). */
      since: string;
      /** Why there is no way to the manager; absent while there is one. */
      reason?: string;
      /** The ways that it has at present; `direct`: by the manager's direct endpoint. */
      carriers: { round_trip_ms: number; direct: boolean }[];
      /** Open streams. */
      streams: number;
      /** Carriers that were lost, replaced or no longer needed, and whose streams went on at another one. */
      moved_carriers: number;
      /** Streams that went on at another carrier, as theirs was lost or to keep bulk from small flows, each time counted. */
      moved_streams: number;
      /** Sessions before this one, since the connection began. */
      former_sessions: number;
    };
    /** Round trip of the session in milliseconds. */
    round_trip_ms?: number;
    /** How the laptop reaches it: `direct`, or the way by which the last carrier was opened. */
    transport?: string;
    /** The manager's direct endpoint, if it has one, and why it was not reached at the last attempt. */
    direct?: { endpoint: string; reason?: string };
  };
  /** Counters of all connections, since the first of them began. */
  traffic?: Record<string, number>;
}

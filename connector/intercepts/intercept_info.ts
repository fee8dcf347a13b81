// deno-lint-ignore-file camelcase -- the names that scripts for Telepresence know
/** What is told of an intercept. Pure. */
import {
  type HeaderMatch,
  type Intercept,
  type InterceptPhase,
  isAboutPorts,
  type RequestMatch,
} from "../../manager/api.ts";
import type { InterceptInfo, MountInfo } from "./api.ts";

/** What only the laptop that has it knows. */
export interface OwnPart {
  address: string;
  /** By `port/protocol` of the pod. */
  laptopPorts: ReadonlyMap<string, number>;
  environment?: Record<string, string> | undefined;
  mount?: MountInfo | undefined;
  /** Of the pod whose environment and volumes it has. */
  podIp?: string | undefined;
}

const dispositionOf: Record<InterceptPhase, InterceptInfo["disposition"]> = {
  Waiting: "WAITING",
  Active: "ACTIVE",
  Away: "NO_CLIENT",
  Conflict: "AGENT_ERROR",
  Failed: "AGENT_ERROR",
};

export interface InterceptSurroundings {
  /** UIDs of Services of its namespace, by their names. */
  serviceUids: ReadonlyMap<string, string>;
  /** Absent for another laptop's. */
  own?: OwnPart;
}

export function interceptInfo(
  { metadata, spec, status }: Intercept,
  { serviceUids, own }: InterceptSurroundings,
): InterceptInfo {
  const ports = spec.ports.map(({ port, protocol, service, servicePort }) => {
    const target_port = own?.laptopPorts.get(`${port}/${protocol}`);
    const service_uid = service && serviceUids.get(service);
    return {
      ...{ container_port: port, protocol },
      ...service === undefined ? {} : { service_name: service },
      ...service_uid === undefined ? {} : { service_uid },
      ...servicePort === undefined ? {} : { port_id: servicePort },
      ...target_port === undefined ? {} : { target_port },
    };
  });
  const filters = spec.match && filtersOf(spec.match);
  return {
    id: metadata.uid ?? "",
    name: spec.name,
    namespace: metadata.namespace ?? "",
    mode: spec.mode,
    disposition: dispositionOf[status?.phase ?? "Waiting"],
    ...status?.message === undefined ? {} : { message: status.message },
    workload: spec.workload.name,
    workload_kind: spec.workload.kind,
    container: spec.container,
    owner: spec.owner,
    client: spec.client,
    own: own !== undefined,
    ...own === undefined || ports.length === 0 ? {} : {
      target_host: own.address,
    },
    ...ports[0] ?? {},
    ...ports[0]?.port_id === undefined ? {} : {
      service_port_id: ports[0].port_id,
    },
    ports,
    ...status?.pods === undefined ? {} : { pods: { ...status.pods } },
    ...!isAboutPorts(spec.mode) || ports.length === 0 ? {} : {
      filter_desc: filterText(spec.match, ports),
    },
    ...filters === undefined ? {} : { http_filter: filters },
    global: isAboutPorts(spec.mode) && filters === undefined,
    ...spec.subnets === undefined ? {} : { subnets: [...spec.subnets] },
    ...own?.environment === undefined ? {} : { environment: own.environment },
    ...own?.mount === undefined ? {} : { mount: own.mount },
    ...own?.podIp === undefined ? {} : { pod_ip: own.podIp },
  };
}

/** An intercept that is on the laptop only. */
export function localOnlyInfo(
  { name, namespace }: { name: string; namespace: string },
): InterceptInfo {
  return {
    ...{ id: "", name, namespace, mode: "local-only", disposition: "ACTIVE" },
    ...{ own: true, ports: [], global: false },
  };
}

function filterText(
  match: RequestMatch | undefined,
  ports: readonly { protocol: string }[],
): string {
  if (match === undefined) {
    const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
    return `all ${protocols.toSorted().join(" and ")} connections`;
  }
  const filters = filtersOf(match);
  const all = match.combine === "all" ? " and " : " or ";
  return `HTTP requests with ${filters.join(all)}`;
}

/** A text for each condition. */
function filtersOf(
  { headers = [], path, methods }: RequestMatch,
): string[] {
  return [
    ...headers.map((header) => `header '${headerText(header)}'`),
    ...path === undefined ? [] : [`path ${pathWords[path.kind]} ${path.value}`],
    ...methods === undefined ? [] : [`method ${methods.join("|")}`],
  ];
}

const pathWords = {
  equal: "equal to",
  prefix: "starting with",
  regex: "matching",
} as const;

function headerText({ name, kind, value }: HeaderMatch): string {
  return kind === "regex" ? `${name}: /${value}/` : `${name}: ${value}`;
}

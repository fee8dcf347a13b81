/** An intercept and a list of workloads, as people read them. Pure. */
import type { InterceptInfo, WorkloadInfo } from "../connector/api.ts";
import { printable } from "./_printable.ts";

const kinds: Record<InterceptInfo["mode"], string> = {
  "intercept": "Intercept name",
  "replace": "Replace name",
  "wiretap": "Wiretap name",
  "ingest": "Ingest name",
  "proxy-via": "Proxy-via name",
  "local-only": "Intercept name",
};

const states: Record<InterceptInfo["mode"], string> = {
  "intercept": "intercepted",
  "replace": "replaced",
  "wiretap": "wiretapped",
  "ingest": "ingested",
  "proxy-via": "proxied via",
  "local-only": "local-only intercept",
};

/** A line for each fact, without final line end. */
export function interceptText(info: InterceptInfo): string {
  const { ports, target_host: host, message, mount, pods } = info;
  const state = info.disposition +
    (message === undefined ? "" : `: ${message}`);
  const facts: [string, string | undefined][] = [
    [kinds[info.mode], info.name],
    ["State", state],
    ["Workload kind", info.workload_kind],
    ["Namespace", info.mode === "local-only" ? info.namespace : undefined],
    ["Owner", info.own ? undefined : `${info.owner} (${info.client})`],
    ...ports.flatMap((port): [string, string | undefined][] => [
      [
        "Destination",
        host === undefined || port.target_port === undefined
          ? undefined
          : `${host.includes(":") ? `[${host}]` : host}:${port.target_port}`,
      ],
      [
        port.port_id === undefined
          ? "Container Port Identifier"
          : "Service Port Identifier",
        `${port.port_id ?? port.container_port}/${port.protocol}`,
      ],
    ]),
    ["Volume Mount Point", mount?.local_dir],
    ["Volume Mount Error", mount?.error?.replace(/^Volume Mount Error: /, "")],
    ["Intercepting", info.filter_desc],
    ["Dialling", info.subnets?.join(", ")],
    [
      "Pods",
      pods && (pods.ready < pods.wanted || !info.own)
        ? `${pods.ready} of ${pods.wanted}`
        : undefined,
    ],
  ];
  const told = facts.filter(([, value]) => value !== undefined);
  const width = Math.max(...told.map(([name]) => name.length));
  // Others write much of it, such as who they are.
  const shown = (value = "") => printable(value).replaceAll("\n", " ");
  return told.map(([name, value]) =>
    `   ${name.padEnd(width)}: ${shown(value)}`
  ).join("\n");
}

/** A line for each workload, with what is on it; without final line end. */
export function listText(workloads: readonly WorkloadInfo[]): string {
  if (workloads.length === 0) {
    return "No Workloads (Deployments, StatefulSets, DaemonSets, ReplicaSets, or Rollouts)";
  }
  return workloads.map((one) => {
    const kind = one.workload_resource_type.toLowerCase();
    const name = kind === "" ? one.name : `${kind} ${one.name}`;
    const line = `${name}: ${stateText(one)}`;
    const infos = one.intercept_infos.filter(({ mode }) =>
      mode !== "local-only"
    );
    return [line, ...infos.map(interceptText)].join("\n");
  }).join("\n");
}

function stateText(
  { agent, not_interceptable_reason: reason, intercept_infos: infos }:
    WorkloadInfo,
): string {
  if (infos.length > 0) {
    return [...new Set(infos.map(({ mode }) => states[mode]))].join(", ");
  }
  const installed = agent ? "already" : "not yet";
  return reason === undefined
    ? `ready to intercept (traffic-agent ${installed} installed)`
    : `not interceptable (traffic-agent ${
      agent ? "" : "not "
    }installed): ${reason}`;
}

export interface ListFlags {
  readonly agents: boolean;
  readonly intercepts: boolean;
  readonly replacements: boolean;
  readonly ingests: boolean;
  readonly wiretaps: boolean;
}

/** Those that one of the flags wants; all when none is given. */
export function wantedOf(
  workloads: readonly WorkloadInfo[],
  flags: ListFlags,
): WorkloadInfo[] {
  const modes = new Set<InterceptInfo["mode"]>([
    ...flags.intercepts ? ["intercept", "local-only"] as const : [],
    ...flags.replacements ? ["replace"] as const : [],
    ...flags.ingests ? ["ingest"] as const : [],
    ...flags.wiretaps ? ["wiretap"] as const : [],
  ]);
  if (modes.size === 0 && !flags.agents) return [...workloads];
  return workloads.filter(({ agent, intercept_infos }) =>
    flags.agents && agent ||
    intercept_infos.some(({ mode }) => modes.has(mode))
  );
}

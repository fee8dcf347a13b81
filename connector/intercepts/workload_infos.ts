// deno-lint-ignore-file camelcase -- the names that scripts for Telepresence know
/** The workloads of a namespace as `tp list` shows them. Pure. */
import type { Service } from "../../k8s/mod.ts";
import {
  type Agent,
  agentObjectName,
  type Intercept,
  managerName,
  type WorkloadRef,
} from "../../manager/api.ts";
import {
  type AppWorkload,
  controllerOf,
  whyNoPods,
  whyUnsupported,
} from "../../manager/client.ts";
import type { InterceptInfo, WorkloadInfo } from "./api.ts";
import { interceptInfo } from "./intercept_info.ts";
import { podShape, uidsByName } from "./workload.ts";

export interface NamespaceObjects {
  /** With the kind that each is of. */
  readonly workloads: readonly {
    readonly kind: Pick<WorkloadRef, "apiVersion" | "kind">;
    readonly workload: AppWorkload;
  }[];
  readonly services: readonly Service[];
  readonly intercepts: readonly Intercept[];
  readonly agents: readonly Agent[];
}

/**
 * By name, then kind. What another workload controls is left out, and so is the manager. Intercepts that are on the laptop
 * only stand beside them.
 *
 * @param own Intercepts of this connection in the namespace: they are told with more.
 */
export function workloadInfos(
  objects: NamespaceObjects,
  own: readonly InterceptInfo[],
): WorkloadInfo[] {
  const ownById = new Map(own.map((one) => [one.id, one]));
  const serviceUids = uidsByName(objects.services);
  const agents = new Set(objects.agents.map(({ metadata }) => metadata.name));
  const found = objects.workloads
    .filter(({ workload }) =>
      controllerOf(workload) === undefined && !isManager(workload)
    )
    .map(({ kind: { apiVersion, kind }, workload }): WorkloadInfo => {
      const { name = "", namespace = "", uid = "" } = workload.metadata;
      const ref = { apiVersion, kind, name };
      const reason = whyUnsupported(ref, workload) ?? whyNoPods(ref, workload);
      const infos = objects.intercepts
        .filter(({ spec: { workload } }) =>
          workload.kind === kind && workload.name === name
        )
        .map((one) =>
          ownById.get(one.metadata.uid ?? "") ??
            interceptInfo(one, { serviceUids })
        );
      const ingests = infos.filter(({ mode }) => mode === "ingest");
      return {
        ...{ name, namespace, workload_resource_type: kind, uid },
        ...reason === undefined ? {} : { not_interceptable_reason: reason },
        agent: agents.has(agentObjectName(ref)),
        intercept_infos: infos,
        ...ingests.length === 0 ? {} : { ingest_infos: ingests },
        services: servicesOf(workload, objects.services),
      };
    });
  return [...found, ...own.filter(isLocalOnly).map(localOnly)]
    .toSorted((a, b) => order(a.name, b.name) || order(kindOf(a), kindOf(b)));
}

function isLocalOnly({ mode }: InterceptInfo): boolean {
  return mode === "local-only";
}

function localOnly(info: InterceptInfo): WorkloadInfo {
  const { name, namespace } = info;
  return {
    ...{ name, namespace, workload_resource_type: "", uid: "", agent: false },
    ...{ intercept_infos: [info], services: {} },
  };
}

function servicesOf(
  { spec: { template } = {} }: AppWorkload,
  all: readonly Service[],
): WorkloadInfo["services"] {
  if (template?.spec === undefined) return {};
  const { services } = podShape(template, all);
  return Object.fromEntries(services.map(({ metadata, spec }) => [
    metadata.uid ?? metadata.name!,
    {
      name: metadata.name!,
      namespace: metadata.namespace ?? "",
      ports: (spec?.ports ?? []).map(({ name, port }) => ({
        ...name === undefined ? {} : { name },
        port,
      })),
    },
  ]));
}

function isManager({ metadata: { name, labels } }: AppWorkload): boolean {
  return name === managerName &&
    labels?.["app.kubernetes.io/name"] === managerName;
}

function kindOf({ workload_resource_type }: WorkloadInfo): string {
  return workload_resource_type;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

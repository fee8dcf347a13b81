/** What a workload's Agent object shall say. Pure. */
import type { Pod, Service } from "../../k8s/mod.ts";
import type { AgentSpec } from "../agent_object.ts";
import type { InterceptSpec, WorkloadRef } from "../intercept.ts";
import { keyOf, takenPorts } from "./taken_ports.ts";
import type { AppWorkload } from "./workload_kind.ts";

/** True when the agent's pods serve these intercepts as they are; nothing more need be looked up then. */
export function suffices(
  present: AgentSpec,
  { intercepts, replaced, line }: {
    intercepts: readonly InterceptSpec[];
    replaced: readonly string[];
    line: string | undefined;
  },
): boolean {
  if (present.line !== line) return false;
  const taken = new Set(present.ports.map(keyOf));
  return intercepts.every(({ ports }) =>
    ports.every((port) => taken.has(keyOf(port)))
  ) && JSON.stringify(present.replaced) === JSON.stringify(replaced);
}

export interface AgentPlanSources {
  /** Namespace of this manager. */
  manager: string;
  /** Of its authorities. */
  line: string | undefined;
  ref: WorkloadRef;
  workload: AppWorkload;
  services: readonly Service[];
  /** Pods of the workload that run. */
  pods: readonly Pod[];
  intercepts: readonly InterceptSpec[];
  replaced: readonly string[];
  /** What the object says already. */
  present?: AgentSpec | undefined;
}

/** The workload has a template. */
export function planAgent(sources: AgentPlanSources): AgentSpec {
  const {
    manager,
    line,
    ref,
    workload,
    services,
    pods,
    intercepts,
    replaced,
    present,
  } = sources;
  const { metadata, spec } = workload.spec!.template!;
  const { apiVersion, kind, name } = ref;
  return {
    manager,
    ...line === undefined ? {} : { line },
    workload: { apiVersion, kind, name, uid: workload.metadata.uid! },
    ports: takenPorts({
      labels: metadata?.labels ?? {},
      pod: spec!,
      ...{ services, wanted: intercepts.flatMap(({ ports }) => ports) },
      present: present?.ports ?? [],
    }),
    replaced,
    users: { ...present?.users, ...usersOf(spec!, pods) },
  };
}

/** Containers whose apps do not run, of intercepts that are in force. */
export function replacedBy(inForce: readonly InterceptSpec[]): string[] {
  const replacing = inForce.filter(({ mode }) => mode === "replace");
  return [...new Set(replacing.map(({ container }) => container))].toSorted();
}

/** Who the containers run as, where only a running pod tells. */
function usersOf(
  spec: NonNullable<Pod["spec"]>,
  pods: readonly Pod[],
): Record<string, { uid: number; gid: number }> {
  if (spec.securityContext?.runAsUser !== undefined) return {};
  const users: Record<string, { uid: number; gid: number }> = {};
  for (const { name, securityContext } of spec.containers) {
    if (securityContext?.runAsUser !== undefined) continue;
    for (const { status } of pods) {
      const one = status?.containerStatuses?.find((one) => one.name === name);
      const linux = one?.user?.linux;
      if (linux === undefined) continue;
      users[name] = { uid: linux.uid, gid: linux.gid };
      break;
    }
  }
  return users;
}

/**
 * Puts an agent into a pod before it is made. Pure.
 *
 * 1. For each port that is taken over the agent gets one of its own (`agent_ports.ts`).
 * 2. Names of these ports become the agent's (`port_names.ts`), probes and hooks ask the app by number (`probes.ts`).
 * 3. Containers that are replaced run nothing.
 * 4. The agent, what redirects ports, and for each container of the app the one that has its environment and volumes are put
 *    beside it.
 */
import {
  type AgentConfig,
  agentServiceName,
  anyManagerServiceName,
} from "../agent_api.ts";
import {
  agentContainerName,
  agentLabel,
  type AgentSpec,
  authoritiesAnnotation,
  managerAnnotation,
  revisionAnnotation,
} from "../agent_object.ts";
import { allContainers, planPorts } from "./agent_ports.ts";
import { agentRevision } from "./agent_revision.ts";
import { filesName } from "./container_names.ts";
import { agentContainerOf, filesContainer } from "./files_container.ts";
import {
  agentContainer,
  initContainerName,
  initContainers,
  pausing,
} from "./own_containers.ts";
import type { PodContainer, PodObject, PodSpec } from "./pod_spec.ts";
import { moveNames } from "./port_names.ts";
import { askingNobody, askingTheApp } from "./probes.ts";
import { agentVolumes } from "./volumes.ts";

/** Each has one beside it; no pod of a node is so large, and who shows one shows it to cost work. */
const maxContainers = 64;

export interface InjectionOptions {
  agent: AgentSpec;
  /** The pod's; the object itself need not say. */
  namespace: string;
  image: string;
  /** PEM of the authorities that the agent shall trust. */
  authorities: string;
  /** Whether the agent is a sidecar of Kubernetes' own kind; see {@link hasNativeSidecars}. */
  nativeSidecar: boolean;
}

/** JSON Patch (RFC 6902). */
export interface PatchOperation {
  op: "add";
  path: string;
  value: unknown;
}

/** What the pod is given, or why nothing. */
export type Injection =
  | { readonly patch: PatchOperation[] }
  | { readonly reason: string };

export function injectAgent(
  pod: PodObject,
  options: InjectionOptions,
): Injection {
  const { spec, metadata = {} } = pod;
  const reason = whyNot(pod);
  if (spec === undefined || reason !== undefined) {
    return { reason: reason ?? "it has no containers" };
  }
  const { agent, image, nativeSidecar } = options;
  const isReplaced = ({ name }: PodContainer) => agent.replaced.includes(name);
  const asking = allContainers(spec).filter((one) => !isReplaced(one));
  const ports = planPorts(agent.ports, { spec, asking });
  const asked = spec.containers.map((one) =>
    isReplaced(one)
      ? pausing(askingNobody(one), { image })
      : askingTheApp(one, ports)
  );
  const { containers, agentPorts } = moveNames(asked, ports);
  const config: AgentConfig = {
    namespace: options.namespace,
    workload: workloadOf(agent),
    manager: `${agentServiceName}.${agent.manager}.svc`,
    anyManager: `${anyManagerServiceName}.${agent.manager}.svc`,
    ports: ports.map(({ names: _, ...port }) => port),
    containers: spec.containers.map((one) => agentContainerOf(one, spec)),
  };
  const own = agentContainer({ image, config, ports: agentPorts });
  const { users } = agent;
  const beside = [
    ...spec.containers.map((one) =>
      filesContainer(one, { spec, users, image })
    ),
    ...nativeSidecar ? [] : [own],
  ];
  const before = [
    ...initContainers({ image, config }),
    ...(spec.initContainers ?? []).map((one) => askingTheApp(one, ports)),
    // Before the app: it starts when all of these are done, or run.
    ...nativeSidecar ? [{ ...own, restartPolicy: "Always" }] : [],
  ];
  const names = spec.containers.map(({ name }) => name);
  return {
    patch: [
      set("/metadata/labels", { ...metadata.labels, [agentLabel]: "true" }),
      set("/metadata/annotations", {
        ...metadata.annotations,
        [revisionAnnotation]: agentRevision(agent, { image }),
        [authoritiesAnnotation]: options.authorities,
        [managerAnnotation]: agent.manager,
      }),
      set("/spec/containers", [...containers, ...beside]),
      ...before.length > 0 ? [set("/spec/initContainers", before)] : [],
      set("/spec/volumes", [...spec.volumes ?? [], ...agentVolumes(names)]),
    ],
  };
}

/** The field's value, whether it is there or not (RFC 6902 section 4.1). */
function set(path: string, value: unknown): PatchOperation {
  return { op: "add", path, value };
}

function whyNot({ spec }: PodObject): string | undefined {
  if (spec === undefined) return undefined;
  if (allContainers(spec).some(({ name }) => name === agentContainerName)) {
    return "it has an agent already";
  }
  if (spec.hostNetwork) {
    return "it is in its node's network, where ports are not its own";
  }
  if (spec.os?.name === "windows") return "it runs on Windows";
  if (allContainers(spec).length > maxContainers) {
    return `it has more than ${maxContainers} containers`;
  }
  const taken = takenName(spec);
  return taken && `the name "${taken}" is taken, which its agent needs`;
}

/** A name of the pod that the agent's parts would have too: the API server would refuse the pod. */
function takenName({ containers, initContainers, volumes = [] }: PodSpec) {
  const files = containers.map(({ name }) => filesName(name));
  const own = agentVolumes(containers.map(({ name }) => name));
  return [
    ...taken([...containers, ...initContainers ?? []], [
      ...[initContainerName, ...files],
    ]),
    ...taken(volumes, own.map(({ name }) => name)),
  ][0];
}

function taken(by: readonly { name: string }[], names: readonly string[]) {
  const wanted = new Set(names);
  return by.map(({ name }) => name).filter((name) => wanted.has(name));
}

function workloadOf({ workload }: AgentSpec): AgentConfig["workload"] {
  const { apiVersion, kind, name } = workload;
  return { apiVersion, kind, name };
}

/**
 * Whether the agent is to be an init container that goes on: it starts before the app and ends after it, so no connection is
 * lost at either end. They came with Kubernetes 1.29, but Services find their ports by name since 1.33.
 */
export function hasNativeSidecars(
  { major, minor }: { major: string; minor: string },
): boolean {
  return parseInt(major) > 1 || parseInt(minor) >= 33;
}

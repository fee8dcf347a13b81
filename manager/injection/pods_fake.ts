/** Pods as the API server shows them to the webhook, the workloads that they are of, and what becomes of them. */
import type { AgentSpec } from "../agent_object.ts";
import {
  injectAgent,
  type InjectionOptions,
  type PatchOperation,
} from "./inject_agent.ts";
import type { PodContainer, PodObject, PodSpec } from "./pod_spec.ts";

export const image = "example.com/tp:1";

export function pod(spec: PodSpec): PodObject {
  return { metadata: { labels: { app: "web" } }, spec };
}

export function agentSpec(more: Partial<AgentSpec> = {}): AgentSpec {
  return {
    workload: {
      ...{ apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      uid: "6e0f",
    },
    manager: "ambassador",
    ports: [],
    replaced: [],
    users: {},
    ...more,
  };
}

export function options(
  agent: AgentSpec,
  more: Partial<InjectionOptions> = {},
): InjectionOptions {
  return {
    agent,
    namespace: "shop",
    ...{ image, authorities: "PEM", nativeSidecar: true },
    ...more,
  };
}

/**
 * The pod with what it is given.
 *
 * @throws {Error} with the reason when it is given nothing.
 */
export function injected(
  of: PodObject,
  options: InjectionOptions,
): Required<Pick<PodObject, "metadata" | "spec">> {
  const injection = injectAgent(of, options);
  if ("reason" in injection) throw new Error(injection.reason);
  return patched(of, injection.patch);
}

/** As the API server does. */
function patched(of: PodObject, patch: readonly PatchOperation[]) {
  const copy = structuredClone(of) as Required<PodObject>;
  for (const { path, value } of patch) {
    const [, part, field] = path.split("/") as [string, "spec", string];
    copy[part][field] = structuredClone(value);
  }
  return copy;
}

/** @throws {Error} when there is none of that name. */
export function containerOf(
  { containers, initContainers = [] }: PodSpec,
  name: string,
): PodContainer {
  const found = [...initContainers, ...containers].find((one) =>
    one.name === name
  );
  if (found === undefined) throw new Error(`Cannot find container "${name}"`);
  return found;
}

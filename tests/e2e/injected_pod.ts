/** A pod `web` with an agent, in a namespace of one test, and what is asked about it. */
import type { AgentSpec, TakenPort } from "../../manager/api.ts";
import { injectAgent } from "../../manager/injection/inject_agent.ts";
import type { PodObject, PodSpec } from "../../manager/injection/pod_spec.ts";
import { type Cluster, waitFor } from "../cluster/mod.ts";

export const labels = { app: "web" };
export const appImage = "docker.io/local/app:1";

export function taken(port: number, more: Partial<TakenPort> = {}): TakenPort {
  return { port, protocol: "TCP", names: [], redirect: false, ...more };
}

/**
 * The pod `web`, with an agent that finds no manager: all is the app's. The webhook is shown what the API server has put in
 * before, such as the service account's token.
 */
export async function withAgent(
  cluster: Cluster,
  { spec: wanted, image, namespace, ports, nativeSidecar = true }: {
    spec: PodSpec;
    image: string;
    namespace: string;
    ports: TakenPort[];
    nativeSidecar?: boolean;
  },
): Promise<PodObject> {
  const metadata = { name: "web", namespace, labels };
  const { code, stdout, stderr } = await cluster.kubectl(
    ["create", "--dry-run=server", "-o", "json", "-f", "-"],
    {
      stdin: JSON.stringify({
        ...{ apiVersion: "v1", kind: "Pod", metadata, spec: wanted },
      }),
    },
  );
  if (code !== 0) throw new Error(stderr);
  const { spec }: { spec: PodSpec } = JSON.parse(stdout);
  const agent: AgentSpec = {
    ...{ manager: namespace, ports, replaced: [], users: {} },
    workload: {
      ...{ apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "u" },
    },
  };
  const pod = { apiVersion: "v1", kind: "Pod", metadata, spec };
  const injection = injectAgent(pod, {
    ...{ agent, namespace, image, authorities: "", nativeSidecar },
  });
  if ("reason" in injection) throw new Error(injection.reason);
  const changed = structuredClone(pod) as unknown as Record<
    string,
    Record<string, unknown>
  >;
  for (const { path, value } of injection.patch) {
    const [, part, field] = path.split("/");
    changed[part!]![field!] = value;
  }
  return changed as PodObject;
}

export function service(namespace: string, spec: Record<string, unknown>) {
  return {
    ...{ apiVersion: "v1", kind: "Service" },
    metadata: { name: "web", namespace },
    spec: { selector: labels, ...spec },
  };
}

export async function apply(
  cluster: Cluster,
  ...items: unknown[]
): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items };
  await cluster.apply(JSON.stringify(list));
}

/** kubectl in a namespace. @throws {Error} with what it says when it fails */
export function kubectlIn(cluster: Cluster, namespace: string) {
  return async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cluster.kubectl(
      ["--namespace", namespace, ...args],
    );
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
}
export type Kubectl = ReturnType<typeof kubectlIn>;

export async function untilReady(kubectl: Kubectl): Promise<void> {
  const get = ["get", "pod", "web", "-o", "json"];
  await waitFor("pod with an agent", async () => {
    const { status } = JSON.parse(await kubectl(...get));
    const ready = status.conditions?.find(({ type }: { type: string }) =>
      type === "Ready"
    );
    return ready?.status === "True" || JSON.stringify(
      [...status.initContainerStatuses ?? [], ...status.containerStatuses ?? []]
        .map(({ name, state }) => ({ name, state })),
    );
  }, { timeoutMs: 60_000 });
}

/** Who the app sees ask, of a request by the Service. */
export async function seenFrom(
  kubectl: Kubectl,
  namespace: string,
): Promise<string> {
  const path =
    `/api/v1/namespaces/${namespace}/services/web:80/proxy/some/path`;
  let from = "";
  await waitFor("answer of the app", async () => {
    try {
      ({ from } = JSON.parse(await kubectl("get", "--raw", path)));
      return true;
    } catch (error) {
      return String(error);
    }
  }, { timeoutMs: 20_000 });
  return from;
}

/**
 * Who the app sees ask, of one request to a port of the pod.
 *
 * @throws {Error} with what the API server says when there is no answer
 */
export async function askedOnce(
  kubectl: Kubectl,
  { namespace, port }: { namespace: string; port: number },
): Promise<string> {
  const path =
    `/api/v1/namespaces/${namespace}/pods/web:${port}/proxy/some/path`;
  return JSON.parse(await kubectl("get", "--raw", path)).from;
}

/** The port to which the Service leads. */
export async function endpointPort(kubectl: Kubectl): Promise<string> {
  return await kubectl(
    ...["get", "endpointslice", "-l", "kubernetes.io/service-name=web"],
    ...["-o", "jsonpath={.items[0].ports[0].port}"],
  );
}

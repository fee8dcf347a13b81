/** Reads, and follows, what {@link workloadInfos} needs. */
import {
  type ApiClient,
  ApiError,
  type KubernetesObject,
  type Resource,
  resources,
} from "../../k8s/mod.ts";
import { logger } from "../../log.ts";
import type { Agent, Intercept } from "../../manager/api.ts";
import { agents, intercepts, workloadResource } from "../../manager/client.ts";
import { pause, systemClock, unlessAborted } from "../../net/mod.ts";
import { forbiddenToIntercept } from "../cluster/forbidden.ts";
import { isMissing, workloadKinds } from "./workload.ts";
import type { NamespaceObjects } from "./workload_infos.ts";

const log = logger("connector");

/** Changes come in crowds. */
const settleMs = 200;

export interface ListPlace {
  namespace: string;
  signal: AbortSignal;
}

/** @throws {ConnectError} `forbidden` when this user may list no kind of workloads there. */
export async function readNamespace(
  api: ApiClient,
  place: ListPlace,
): Promise<NamespaceObjects> {
  const refusals: ApiError[] = [];
  const list = async <T extends KubernetesObject>(resource: Resource<T>) => {
    try {
      return await api.list(resource, place);
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) {
        refusals.push(error);
        return undefined;
      }
      if (isMissing(error)) return [];
      throw error;
    }
  };
  const [kinds, services = [], taken = [], agentObjects = []] = await Promise
    .all([
      Promise.all(workloadKinds.map((kind) => list(workloadResource(kind)!))),
      list(resources.services),
      list(intercepts),
      list(agents),
    ]);
  if (kinds[0] === undefined && kinds[1] === undefined) {
    const { namespace } = place;
    const cause = refusals[0]!;
    const action = "list workloads";
    throw await forbiddenToIntercept(api, { action, namespace, cause });
  }
  const workloads = kinds.flatMap((found = [], i) =>
    found.map((workload) => ({ kind: workloadKinds[i]!, workload }))
  );
  return { workloads, services, intercepts: taken, agents: agentObjects };
}

/** As it is, then after each change, until the signal aborts. What may not be read is taken to be empty. */
export async function* followNamespace(
  api: ApiClient,
  place: ListPlace,
): AsyncGenerator<NamespaceObjects> {
  yield await readNamespace(api, place);
  const { signal } = place;
  let changed = Promise.withResolvers<void>();
  /** Those of which not all is known. */
  const partial = new Set<Resource>();
  const followed = <T extends KubernetesObject>(resource: Resource<T>) => {
    const objects = new Map<string, T>();
    partial.add(resource);
    void follow(api, { resource, objects, ...place }, (isWhole) => {
      if (isWhole) partial.delete(resource);
      if (partial.size === 0) changed.resolve();
    });
    return objects;
  };
  const kinds = workloadKinds.map((kind) => followed(workloadResource(kind)!));
  const services = followed(resources.services);
  const taken: Map<string, Intercept> = followed(intercepts);
  const agentObjects: Map<string, Agent> = followed(agents);
  for (;;) {
    await unlessAborted(changed.promise, signal).catch(() => {});
    await pause(settleMs, { clock: systemClock, signal });
    changed = Promise.withResolvers<void>();
    if (signal.aborted) return;
    yield {
      workloads: kinds.flatMap((objects, i) =>
        [...objects.values()].map((workload) => ({
          kind: workloadKinds[i]!,
          workload,
        }))
      ),
      services: [...services.values()],
      intercepts: [...taken.values()],
      agents: [...agentObjects.values()],
    };
  }
}

/** @param onChange Called after each change, and with `true` when the objects are all that there are. */
async function follow<T extends KubernetesObject>(
  api: ApiClient,
  { resource, objects, ...place }: ListPlace & {
    resource: Resource<T>;
    objects: Map<string, T>;
  },
  onChange: (isWhole: boolean) => void,
): Promise<void> {
  try {
    for await (const event of api.watch(resource, place)) {
      if (event.type === "SYNCED") {
        onChange(true);
        continue;
      }
      const { uid = "" } = event.object.metadata;
      if (event.type === "DELETED") objects.delete(uid);
      else objects.set(uid, event.object);
      onChange(false);
    }
  } catch (error) {
    log.debug("not followed", { resource: resource.plural, error });
    objects.clear();
    onChange(true);
  }
}

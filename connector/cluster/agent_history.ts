/** What workloads remember of templates that had an agent, so that nobody can roll back to one. */
import {
  type ApiClient,
  isApiError,
  type KubernetesObject,
  type Resource,
  resource,
  resources,
  type Workload,
} from "../../k8s/mod.ts";
import { revisionAnnotation } from "../../manager/api.ts";

interface ControllerRevision extends KubernetesObject {
  data?: Pick<Workload, "spec">;
}

const controllerRevisions = resource<ControllerRevision>(
  "apps/v1",
  "ControllerRevision",
);

export interface HistoryOf {
  namespace: string;
  workload: { kind: string; name: string };
  signal: AbortSignal;
}

/** Deletes ReplicaSets without pods, and ControllerRevisions, of such templates; nothing where the user may not. */
export async function removeHistory(
  api: ApiClient,
  of: HistoryOf,
): Promise<void> {
  try {
    if (of.workload.kind === "Deployment") {
      await removeOwned(api, resources.replicaSets, {
        ...{ of, specOf: ({ spec }) => spec },
        isIdle: ({ spec }) => spec?.replicas === 0,
      });
    } else if (/^(StatefulSet|DaemonSet)$/.test(of.workload.kind)) {
      await removeOwned(api, controllerRevisions, {
        ...{ of, specOf: ({ data }) => data?.spec, isIdle: () => true },
      });
    }
  } catch (error) {
    if (!isApiError(error, "Forbidden")) throw error;
  }
}

async function removeOwned<T extends KubernetesObject>(
  api: ApiClient,
  resource: Resource<T>,
  { of: { namespace, workload, signal }, specOf, isIdle }: {
    of: HistoryOf;
    specOf: (object: T) => Workload["spec"];
    isIdle: (object: T) => boolean;
  },
): Promise<void> {
  for (const object of await api.list(resource, { namespace, signal })) {
    const { name = "", ownerReferences = [] } = object.metadata;
    const isOwned = ownerReferences.some((owner) =>
      owner.kind === workload.kind && owner.name === workload.name
    );
    const annotations = specOf(object)?.template?.metadata?.annotations ?? {};
    if (!isOwned || !isIdle(object) || !(revisionAnnotation in annotations)) {
      continue;
    }
    await api.delete(resource, { namespace, name }, { signal });
  }
}

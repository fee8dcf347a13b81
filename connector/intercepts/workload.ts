/** Finds the workload that an intercept means. */
import {
  type ApiClient,
  ApiError,
  isApiError,
  type Resource,
  resource,
  resources,
  type Service,
} from "../../k8s/mod.ts";
import type { WorkloadRef } from "../../manager/api.ts";
import {
  type AppWorkload,
  formatWorkload,
  whyUnsupported,
  workloadResource,
} from "../../manager/client.ts";
import { ConnectError } from "../failure.ts";
import { isMeantBy, type PodShape } from "./port_choices.ts";

/** The kinds that can be intercepted, the usual ones first. */
export const workloadKinds = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "apps/v1", kind: "DaemonSet" },
  { apiVersion: "apps/v1", kind: "ReplicaSet" },
  { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout" },
] as const;

/** What has pods, or is one, and yet nothing would put others in their place. */
const otherKinds = [
  resource("batch/v1", "Job"),
  resource("batch/v1", "CronJob"),
  resources.pods,
];

export interface FoundWorkload {
  readonly ref: WorkloadRef;
  readonly workload: AppWorkload;
}

export interface WorkloadQuestion {
  namespace: string;
  /** A name, or `KIND/NAME`. */
  wanted: string;
  signal: AbortSignal;
}

/**
 * @throws {ConnectError} `workload-unknown`, `workload-ambiguous`, `workload-unsupported`.
 * @throws {ApiError} 403 when this user may not look.
 */
export async function findWorkload(
  api: ApiClient,
  { namespace, wanted, signal }: WorkloadQuestion,
): Promise<FoundWorkload> {
  const [first = "", second] = wanted.split("/");
  const name = second ?? first;
  const kinds = second === undefined
    ? workloadKinds
    : workloadKinds.filter(({ kind }) => isKind(kind, first));
  const looks = await Promise.allSettled(
    kinds.map((kind) => look(api, { ...kind, name }, { namespace, signal })),
  );
  const found = looks.flatMap((look) =>
    look.status === "fulfilled" && look.value !== undefined ? [look.value] : []
  );
  if (found.length === 0) {
    const failed = looks.find((look) => look.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const other = await findOther(api, { namespace, name, signal });
    if (other !== undefined) {
      const why = other === resources.pods
        ? "a pod that runs cannot be given an agent, the workload that it is of can"
        : `the pods of a ${other.kind} cannot be given an agent`;
      throw new ConnectError({
        kind: "workload-unsupported",
        cause: `Cannot intercept "${wanted}": ${why}`,
      });
    }
    throw await unknown(api, { namespace, wanted, signal });
  }
  const [one, ...others] = found;
  if (others.length > 0) {
    throw new ConnectError({
      kind: "workload-ambiguous",
      cause: `Cannot intercept "${wanted}": it may be ${
        found.map(({ ref }) => formatWorkload(ref)).join(" or ")
      }`,
    });
  }
  const why = whyUnsupported(one!.ref, one!.workload);
  if (why !== undefined) {
    throw new ConnectError({
      kind: "workload-unsupported",
      cause: `Cannot intercept "${wanted}": ${why}`,
    });
  }
  return one!;
}

/** The pods of a workload as its template and the namespace's Services tell it. */
export async function shapeOf(
  api: ApiClient,
  { metadata, spec }: AppWorkload,
  { signal }: { signal: AbortSignal },
): Promise<PodShape & { annotations: Record<string, string> }> {
  const { namespace } = metadata;
  const services = await api.list(resources.services, {
    ...namespace === undefined ? {} : { namespace },
    signal,
  });
  return podShape(spec!.template!, services);
}

export function uidsByName(
  services: readonly Service[],
): ReadonlyMap<string, string> {
  return new Map(
    services.map(({ metadata: { name = "", uid = "" } }) => [name, uid]),
  );
}

/** @param services Those of the namespace. */
export function podShape(
  { metadata, spec }: NonNullable<NonNullable<AppWorkload["spec"]>["template"]>,
  services: readonly Service[],
): PodShape & { annotations: Record<string, string> } {
  const labels = metadata?.labels ?? {};
  return {
    labels,
    annotations: metadata?.annotations ?? {},
    pod: spec!,
    services: services.filter((service) => isMeantBy(service, labels)),
  };
}

/** Whether `text` means a kind, in `KIND/NAME`. */
export function isWorkloadKind(text: string): boolean {
  return workloadKinds.some(({ kind }) => isKind(kind, text));
}

function isKind(kind: string, text: string): boolean {
  const wanted = text.toLowerCase();
  return [kind.toLowerCase(), `${kind.toLowerCase()}s`].includes(wanted);
}

async function look(
  api: ApiClient,
  ref: WorkloadRef,
  { namespace, signal }: Pick<WorkloadQuestion, "namespace" | "signal">,
): Promise<FoundWorkload | undefined> {
  try {
    const place = { namespace, name: ref.name };
    const workload = await api.get(workloadResource(ref)!, place, { signal });
    return { ref, workload };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Of that name; `undefined` also when this user may not look. */
async function findOther(
  api: ApiClient,
  { namespace, name, signal }:
    & Pick<WorkloadQuestion, "namespace" | "signal">
    & { name: string },
): Promise<Resource | undefined> {
  const looks = await Promise.all(
    otherKinds.map(async (kind: Resource) =>
      await api.get(kind, { namespace, name }, { signal })
        .then(() => kind, () => undefined)
    ),
  );
  return looks.find((kind) => kind !== undefined);
}

/** No such object, or no such kind of objects in this cluster. */
export function isMissing(error: unknown): boolean {
  return isApiError(error, "NotFound") ||
    error instanceof ApiError && error.status === 404;
}

async function unknown(
  api: ApiClient,
  { namespace, wanted, signal }: WorkloadQuestion,
): Promise<ConnectError> {
  const kinds = workloadKinds.map(({ kind }) => kind);
  const cause = await isAbsent(api, { namespace, signal })
    ? `Cannot find "${wanted}": namespace "${namespace}" does not exist`
    : `No interceptable ${kinds.slice(0, -1).join(", ")} or ${
      kinds.at(-1)
    } matching "${wanted}" found in namespace "${namespace}"`;
  return new ConnectError({ kind: "workload-unknown", cause });
}

/** False as well when this user may not look. */
async function isAbsent(
  api: ApiClient,
  { namespace: name, signal }: { namespace: string; signal: AbortSignal },
): Promise<boolean> {
  try {
    await api.get(resources.namespaces, { name }, { signal });
    return false;
  } catch (error) {
    return isMissing(error);
  }
}

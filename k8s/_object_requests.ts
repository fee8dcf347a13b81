/** Questions about objects, as requests. Pure. */
import { ask } from "./_ask.ts";
import type { ApiRequest } from "./_requests.ts";
import type {
  ApplyOptions,
  DeleteOptions,
  ListOptions,
  Ref,
} from "./api_options.ts";
import type { KubernetesObject } from "./object.ts";
import { apiVersionOf, type Place, type Resource } from "./resource.ts";

/** How many objects a page of a list holds. */
const pageSize = 500;
/** A watch is made anew after about so long, in s, so that a dead connection does not stay unnoticed. */
const watchSeconds = 180;
/** Between the time at which the server ends a watch and that at which it is given up. */
const watchMercySeconds = 15;

/** @param next What the page before told; `undefined` of the first one. */
export function pageRequest(
  resource: Resource,
  { namespace, labelSelector, fieldSelector, signal }: ListOptions,
  next: string | undefined,
): ApiRequest {
  return {
    ...ask("list", resource, { namespace }),
    method: "GET",
    query: { labelSelector, fieldSelector, limit: pageSize, continue: next },
    signal,
  };
}

export function watchRequest(
  resource: Resource,
  { namespace, labelSelector, fieldSelector, resourceVersion, signal }:
    & ListOptions
    & { resourceVersion: string; signal: AbortSignal },
): ApiRequest & { signal: AbortSignal; lifetimeMs: number } {
  // Watches that begin together do not end together.
  const seconds = Math.round(watchSeconds * (0.8 + 0.4 * Math.random()));
  return {
    ...ask("watch", resource, { namespace }),
    method: "GET",
    query: {
      watch: true,
      allowWatchBookmarks: true,
      labelSelector,
      fieldSelector,
      resourceVersion,
      timeoutSeconds: seconds,
    },
    signal,
    lifetimeMs: (seconds + watchMercySeconds) * 1000,
  };
}

/** Of an object, or of a subresource of the one that `place` names. */
export function createRequest(
  resource: Resource,
  place: Place,
  object: KubernetesObject,
): ApiRequest {
  return {
    ...ask("create", resource, place),
    method: "POST",
    body: place.subresource ? object : withKind(resource, object),
  };
}

export function applyRequest(
  resource: Resource,
  object: KubernetesObject,
  { force }: ApplyOptions,
): ApiRequest {
  const { namespace, name = "" } = object.metadata;
  return {
    ...ask("patch", resource, { namespace, name }),
    method: "PATCH",
    contentType: "application/apply-patch+yaml",
    body: object,
    query: { force },
  };
}

export function patchRequest(
  resource: Resource,
  ref: Ref & { changes: unknown; subresource?: string },
): ApiRequest {
  return {
    ...ask("patch", resource, ref),
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: ref.changes,
  };
}

export function replaceRequest(
  resource: Resource,
  object: KubernetesObject,
  { subresource }: { subresource?: string },
): ApiRequest {
  const { namespace, name = "" } = object.metadata;
  return {
    ...ask("update", resource, { namespace, name, subresource }),
    method: "PUT",
    body: withKind(resource, object),
  };
}

export function deleteRequest(
  resource: Resource,
  ref: Ref,
  { propagation, uid, dryRun, signal }: DeleteOptions,
): ApiRequest {
  return {
    ...ask("delete", resource, ref),
    method: "DELETE",
    body: {
      ...propagation ? { propagationPolicy: propagation } : {},
      ...uid ? { preconditions: { uid } } : {},
      ...dryRun ? { dryRun: ["All"] } : {},
    },
    signal,
  };
}

function withKind(resource: Resource, object: KubernetesObject) {
  const { kind } = resource;
  return { apiVersion: apiVersionOf(resource), kind, ...object };
}

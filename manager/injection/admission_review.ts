/** What the API server asks before it makes a pod, and what it is told (`admission.k8s.io/v1`). Pure. */
import type { Pod } from "../../k8s/mod.ts";
import type { PatchOperation } from "./inject_agent.ts";
import type { PodObject } from "./pod_spec.ts";

const apiVersion = "admission.k8s.io/v1";
const kind = "AdmissionReview";

/** A pod that is about to be made. */
export interface Review {
  readonly uid: string;
  readonly namespace: string;
  /** Its name and namespace may not be known yet. */
  readonly pod: Pod & PodObject;
  /** Nothing will come of it. */
  readonly dryRun: boolean;
}

/** @throws {SyntaxError} when it is no question about a pod that is to be made. */
export function parseReview(text: string): Review {
  const { apiVersion: version, kind: of, request } = JSON.parse(text) ?? {};
  const { uid, namespace, operation, object, resource, dryRun } = request ?? {};
  const isAsked = version === apiVersion && of === kind &&
    operation === "CREATE" && resource?.group === "" &&
    resource.resource === "pods" && !request.subResource;
  if (
    !isAsked || typeof uid !== "string" || typeof namespace !== "string" ||
    !Array.isArray(object?.spec?.containers)
  ) {
    throw new SyntaxError("Cannot review an object: it is no pod to be made");
  }
  const pod = { ...object, metadata: object.metadata ?? {} };
  return { uid, namespace, pod, dryRun: dryRun === true };
}

/** The pod is always allowed: with a patch, or as it is. */
export function formatReview(
  { uid, patch }: { uid: string; patch?: readonly PatchOperation[] },
): string {
  const json = new TextEncoder().encode(JSON.stringify(patch));
  const changes = patch === undefined
    ? {}
    : { patchType: "JSONPatch", patch: json.toBase64() };
  return JSON.stringify({
    ...{ apiVersion, kind },
    response: { uid, allowed: true, ...changes },
  });
}

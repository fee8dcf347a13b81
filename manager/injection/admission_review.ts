/** What the API server asks before it makes a pod, and what it is told (`admission.k8s.io/v1`). Pure. */
import type { Pod } from "../../k8s/mod.ts";
import type { PatchOperation } from "./inject_agent.ts";
import type { PodObject } from "./pod_spec.ts";

const apiVersion = "admission.k8s.io/v1";
const kind = "AdmissionReview";
/** RFC 1123, as namespaces are named: it becomes part of a path. */
const namespaceSyntax = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const maxNameLength = 253;

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
    !namespaceSyntax.test(namespace) || !isPod(object)
  ) {
    throw new SyntaxError("Cannot review an object: it is no pod to be made");
  }
  const pod = { ...object, metadata: object.metadata ?? {} };
  return { uid, namespace, pod, dryRun: dryRun === true };
}

/** As far as anything here depends on it: whoever is in the network can say that something is a pod. */
function isPod(object: unknown): object is Partial<Pod> & PodObject {
  const { metadata = {}, spec } = (object ?? {}) as Record<string, unknown>;
  if (!isRecord(metadata) || !isRecord(spec)) return false;
  const { name = "", generateName = "", labels = {}, annotations = {} } =
    metadata;
  const { containers, initContainers = [], volumes = [] } = spec;
  return [name, generateName].every(isName) &&
    [labels, annotations].every(isRecord) &&
    [containers, initContainers, volumes].every((list) =>
      Array.isArray(list) && list.every(isRecord)
    );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.length <= maxNameLength;
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

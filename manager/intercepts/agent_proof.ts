/**
 * How an agent proves what it is.
 *
 * 1. It shows the token that the kubelet projects into its pod, for the manager alone. The API server says whose it is.
 * 2. The token is bound to a pod, by name and UID: that pod is read.
 * 3. The pod's owners say which workload it is of. That must be one with an Agent object, so that a pod which merely
 *    projects such a token gets nothing.
 */
import { type Pod, resources, type TokenReview } from "../../k8s/mod.ts";
import { RefusedError } from "../../net/mod.ts";
import { agentAudience } from "../agent_api.ts";
import type { Agent } from "../agent_object.ts";
import type { WorkloadRef } from "../intercept.ts";
import type { ClusterApi } from "./cluster_api.ts";
import { controllerOf } from "./workload_kind.ts";
import { workloadKey } from "./workload_key.ts";

export interface ProvenPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly createdAt: string;
  /** As {@link workloadKey} names it. */
  readonly workload: string;
}

export interface Proof {
  readonly pod: ProvenPod;
  /** When the token is of no use any more, in ms since 1970. */
  readonly expiresAt: number;
}

export interface AgentProverOptions {
  api: Pick<ClusterApi, "create" | "find">;
  findAgent: (place: {
    namespace: string;
    workload: Pick<WorkloadRef, "kind" | "name">;
  }) => Agent | undefined;
}

/** Longer tokens are none of the API server's. */
const maxTokenLength = 8 * 1024;
const podNameKey = "authentication.kubernetes.io/pod-name";
const podUidKey = "authentication.kubernetes.io/pod-uid";

/**
 * @throws {RefusedError} "forbidden" for who is no agent; "failed" when the API server does not say.
 */
export async function proveAgent(
  token: string,
  { api, findAgent }: AgentProverOptions,
): Promise<Proof> {
  const expiresAt = expiryOf(token);
  if (expiresAt === undefined) throw forbidden("it is no token of a pod");
  const review = await asked(() =>
    api.create(resources.tokenReviews, {
      metadata: {},
      spec: { token, audiences: [agentAudience] },
    })
  );
  const claimed = podOfReview(review.status);
  if (claimed === undefined) throw forbidden("the token proves no pod");
  const pod = await asked(() => api.find(resources.pods, claimed));
  if (pod === undefined || pod.metadata.uid !== claimed.uid || isOver(pod)) {
    throw forbidden("its pod is gone");
  }
  const { namespace } = claimed;
  const owner = await asked(() => ownerOf(api, pod));
  const agent = owner && findAgent({ namespace, workload: owner });
  if (owner === undefined || agent?.spec.workload.uid !== owner.uid) {
    throw forbidden("its pod is of no workload that has agents");
  }
  const createdAt = pod.metadata.creationTimestamp!;
  const workload = workloadKey(namespace, owner);
  return { pod: { ...claimed, createdAt, workload }, expiresAt };
}

/** The pod that the API server says the token is bound to; `undefined` when it is for others, or of no pod. */
export function podOfReview(
  status: TokenReview["status"],
): { namespace: string; name: string; uid: string } | undefined {
  const { authenticated, audiences = [], user } = status ?? {};
  if (!authenticated || !audiences.includes(agentAudience)) return undefined;
  const [, namespace] =
    user?.username?.match(/^system:serviceaccount:([^:]+):[^:]+$/) ?? [];
  const [name] = user?.extra?.[podNameKey] ?? [];
  const [uid] = user?.extra?.[podUidKey] ?? [];
  return namespace && name && uid ? { namespace, name, uid } : undefined;
}

/** In ms since 1970, as the token says of itself (RFC 7519 section 4.1.4): the API server's review vouches for it. */
function expiryOf(token: string): number | undefined {
  if (token.length > maxTokenLength) return undefined;
  try {
    const [, payload = ""] = token.split(".");
    const bytes = Uint8Array.fromBase64(payload, { alphabet: "base64url" });
    const { exp } = JSON.parse(new TextDecoder().decode(bytes));
    return Number.isFinite(exp) ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

async function ownerOf(api: Pick<ClusterApi, "find">, pod: Pod) {
  const owner = controllerOf(pod);
  if (owner?.kind !== "ReplicaSet") return owner;
  const { namespace = "" } = pod.metadata;
  const set = await api.find(resources.replicaSets, {
    ...{ namespace, name: owner.name },
  });
  if (set?.metadata.uid !== owner.uid) return undefined;
  return controllerOf(set) ?? owner;
}

function isOver({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

async function asked<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    const detail = "The API server does not say whose agent it is";
    throw new RefusedError("failed", detail, { cause });
  }
}

function forbidden(why: string): RefusedError {
  return new RefusedError(
    "forbidden",
    `The manager serves no such agent: ${why}`,
  );
}

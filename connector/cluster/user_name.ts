import {
  type ApiClient,
  ApiError,
  type KubernetesObject,
  resource,
} from "../../k8s/mod.ts";

interface SelfSubjectReview extends KubernetesObject {
  status?: { userInfo?: { username?: string } };
}

/** Kubernetes 1.28 and later. */
const selfSubjectReviews = resource<SelfSubjectReview>(
  "authentication.k8s.io/v1",
  "SelfSubjectReview",
  { namespaced: false },
);

/**
 * The user as the API server sees it; `undefined` where it does not tell.
 *
 * @throws {ApiUnreachableError | CredentialError} when it does not answer.
 */
export async function userName(api: ApiClient): Promise<string | undefined> {
  try {
    const { status } = await api.create(selfSubjectReviews, { metadata: {} });
    return status?.userInfo?.username;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return /User "([^"]+)"/.exec(error.detail)?.[1];
  }
}

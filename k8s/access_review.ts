import type { ApiClient } from "./api_client.ts";
import type { Options } from "./api_options.ts";
import type { AccessQuestion } from "./object.ts";
import { resources } from "./resource.ts";

/** Whether RBAC lets us. Asking is allowed to every user that the server knows. */
export async function canI(
  api: ApiClient,
  question: AccessQuestion,
  options: Options = {},
): Promise<boolean> {
  const { status } = await api.create(resources.selfSubjectAccessReviews, {
    metadata: {},
    spec: { resourceAttributes: question },
  }, options);
  return status?.allowed === true;
}
